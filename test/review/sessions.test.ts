// Proposals among the sessions: listed with their state, never pruned while they wait, removed whole once they don't.
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { holdProposal } from '../../src/review/lock.ts'
import { writeProposal } from '../../src/review/record.ts'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { newest } from './world.ts'

const review = ['--workspace', 'review']

test('sessions says what waits, what is in use, and which session goes on with which proposal', async () => {
  const world = makeWorld()
  await inCell(world, 'echo a > a; echo b > b', [...review, '--name', 'first'])
  const { proposal, folder } = newest(world)
  await anchorhold(world, ['run', '--continue', 'first', '--', 'rm', 'b'])
  await inCell(world, 'true')
  const { stdout } = await anchorhold(world, ['sessions', '--json'])
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; review?: unknown })
  const review1 = { proposal: proposal.id, state: 'open', kind: 'overlay', inUse: false, changes: 1 }
  expect(rows.filter((row) => row.review !== undefined).map((row) => row.review)).toEqual([review1, review1])
  expect(rows.filter((row) => row.review === undefined)).toHaveLength(1)
  const table = (await anchorhold(world, ['sessions'])).stdout
  expect(table).toMatch(/open, 1 change/)
  expect(table).toMatch(`of ${proposal.id.slice(0, 12)}`)
  using _held = holdProposal(folder, proposal.id)
  expect((await anchorhold(world, ['sessions'])).stdout).toMatch(/open, in use/)
})

test('a proposal whose record is damaged is told as such, with where its changes lie; it is not pruned unasked', async () => {
  const world = makeWorld()
  await inCell(world, 'echo a > a', [...review, '--name', 'cut'])
  const { folder } = newest(world)
  writeFileSync(path.join(folder, 'proposal.json'), '{"version":1,')
  for (const words of [
    ['diff', 'cut'],
    ['apply', '--all'],
    ['discard', 'cut'],
  ]) {
    const { code, stderr } = await anchorhold(world, words)
    expect({ code, stderr }).toEqual({
      code: 125,
      stderr: expect.stringMatching(/The record of the proposal .* is damaged[^]*roots\/0\/upper/),
    })
  }
  expect((await anchorhold(world, ['sessions'])).stdout).toMatch(/ended \(0\) +damaged/)
  expect((await anchorhold(world, ['sessions', 'prune', '--days', '0'])).stdout).toMatch(/^0 sessions removed\nkept .*damaged/)
  expect(existsSync(path.join(folder, 'roots/0/upper/a'))).toBe(true)
  expect((await anchorhold(world, ['sessions', 'prune', '--days', '0', '--damaged'])).stdout).toMatch(/^1 session removed/)
})

test('the newest proposal with changes is meant where none is named', async () => {
  const world = makeWorld()
  await inCell(world, 'echo a > a', review)
  await new Promise((resolve) => setTimeout(resolve, 1100)) // another second: another id
  await inCell(world, 'true', review)
  expect((await anchorhold(world, ['diff', '--name-only'])).stdout).toBe('a\n')
})

test('an open proposal is never pruned; one that is done goes whole, whatever permissions the agent left', async () => {
  const world = makeWorld()
  await inCell(world, 'mkdir -p shut/in; echo a > shut/in/a; chmod 0 shut/in shut', review)
  const { proposal, folder } = newest(world)
  const kept = await anchorhold(world, ['sessions', 'prune', '--days', '0', '--with-files'])
  expect(kept.stdout).toMatch(/^0 sessions removed\nkept .*: its proposal waits/)
  expect(existsSync(path.join(folder, 'proposal.json'))).toBe(true)
  writeProposal(folder, { ...proposal, state: 'applied' })
  const { stdout } = await anchorhold(world, ['sessions', 'prune', '--days', '0'])
  expect(stdout).toMatch(/^1 session removed/)
  expect(existsSync(path.dirname(folder))).toBe(false)
})

test('a proposal that is no longer open is not gone on with; one of another project, or another mode, neither', async () => {
  const world = makeWorld()
  await inCell(world, 'echo a > a', [...review, '--name', 'done'])
  const { proposal, folder } = newest(world)
  const refusal = async (...args: string[]) => (await anchorhold(world, ['run', '--continue', 'done', ...args, '--', 'true'])).stderr
  expect(await refusal('--workspace', 'live')).toMatch(/can only be gone on with in a review/)
  expect(await refusal('--project', '/var/tmp')).toMatch(/not of \/var\/tmp/)
  writeProposal(folder, { ...proposal, state: 'discarded' })
  expect(await refusal()).toMatch(/was discarded: nothing of it waits/)
  await inCell(world, 'true', ['--name', 'plain'])
  expect((await anchorhold(world, ['run', '--continue', 'plain', '--', 'true'])).stderr).toMatch(/No proposal belongs to session/)
})
