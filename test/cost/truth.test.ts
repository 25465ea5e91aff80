// Totals are true to the token and the cent, on corpora of many seeds with every known pitfall; and every view adds up to the same.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { views } from '../../src/cost/group.ts'
import { writeCorpus } from './corpus.ts'
import { by, dollarsOf, sumsOf } from './oracle.ts'
import { json, scratch } from './read.ts'

process.env['TZ'] = 'UTC'
const seeds = Array.from({ length: 24 }, (_, at) => at + 1)

test.each(seeds)('corpus %i: every view has the true totals', async (seed) => {
  const folder = scratch()
  const truth = writeCorpus(folder, { seed, sessions: 4 + (seed % 17) })
  const all = await Promise.all(views.map((view) => json(folder, view)))
  for (const { totals } of all) {
    expect(totals).toMatchObject(sumsOf(truth.requests))
    expect(totals.usd).toBeCloseTo(dollarsOf(truth.requests), 6)
  }
  for (const { rows, totals } of all) {
    for (const key of Object.keys(sumsOf([]))) expect(rows.reduce((sum, row) => sum + Number(row[key]), 0)).toBe(totals[key])
  }
  const [sessions, days, , , models, projects] = all
  const check = (rows: readonly { readonly usd: number }[], name: string, groups: ReturnType<typeof by>): void => {
    const found = new Map(rows.map((row) => [(row as Record<string, unknown>)[name], row]))
    expect(new Set(found.keys())).toEqual(new Set(groups.keys()))
    for (const [key, requests] of groups) {
      expect(found.get(key), `${name} ${key}`).toMatchObject(sumsOf(requests))
      expect(found.get(key)?.usd).toBeCloseTo(dollarsOf(requests), 6)
    }
  }
  check(
    sessions?.rows ?? [],
    'session',
    by(truth.requests, ({ session }) => session),
  )
  check(
    days?.rows ?? [],
    'day',
    by(truth.requests, ({ time }) => new Date(time).toISOString().slice(0, 10)),
  )
  check(
    models?.rows ?? [],
    'model',
    by(truth.requests, ({ model }) => model),
  )
  check(
    projects?.rows ?? [],
    'project',
    by(truth.requests, ({ project }) => project),
  )
  expect(sessions?.damaged.map(({ file, line }) => `${file}:${line}`).sort()).toEqual([...truth.damaged].sort())
  const subagents = truth.requests.filter(({ sidechain }) => sidechain)
  expect(sessions?.totals['subagents']).toMatchObject({ requests: subagents.length })
})

test.each(seeds.slice(0, 6))('corpus %i: with an index, also a growing one, the same', async (seed) => {
  const folder = scratch()
  const cache = path.join(folder, 'cache')
  const truth = writeCorpus(folder, { seed, sessions: 8 })
  const files = readdirSync(path.join(folder, 'projects'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'))
  const whole = new Map(files.map((name) => [name, readFileSync(path.join(folder, 'projects', name))]))
  // Grow each file in three steps that end anywhere, also inside a line.
  for (const share of [0.37, 0.71, 1]) {
    for (const [name, bytes] of whole)
      writeFileSync(path.join(folder, 'projects', name), bytes.subarray(0, Math.round(bytes.length * share)))
    const [indexed, again, fresh] = [
      await json(folder, 'session', { cache }),
      await json(folder, 'session', { cache }),
      await json(folder, 'session'),
    ]
    expect(indexed).toEqual(fresh)
    expect(again).toEqual(fresh)
  }
  expect((await json(folder, 'month', { cache })).totals).toMatchObject(sumsOf(truth.requests))
})

test('a session that goes on in a file without a last line feed is read on from there', async () => {
  const folder = scratch()
  const cache = path.join(folder, 'cache')
  const file = path.join(folder, 'projects/-w/s.jsonl')
  const line = (id: string, output: number): string =>
    JSON.stringify({
      type: 'assistant',
      sessionId: 's',
      requestId: `r${id}`,
      timestamp: '2026-11-01T00:00:00.000Z',
      message: { id, model: 'claude-opus-5', role: 'assistant', usage: { input_tokens: 1, output_tokens: output } },
    })
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `${line('a', 10)}\n${line('b', 20)}`)
  expect((await json(folder, 'session', { cache })).totals['outputTokens']).toBe(30)
  expect((await json(folder, 'session', { cache })).totals['outputTokens']).toBe(30)
  appendFileSync(file, `\n${line('c', 30)}\n`)
  expect((await json(folder, 'session', { cache })).totals['outputTokens']).toBe(60)
})

test('what appears in a folder, or goes from it, is noticed with an index too', async () => {
  const folder = scratch()
  const cache = path.join(folder, 'cache')
  const write = (name: string): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    const message = { id: name, model: 'claude-opus-5', role: 'assistant', usage: { input_tokens: 1, output_tokens: 1 } }
    writeFileSync(
      path.join(folder, name),
      `${JSON.stringify({ type: 'assistant', requestId: name, timestamp: '2026-11-01T00:00:00.000Z', message })}\n`,
    )
  }
  const count = async (): Promise<unknown> => (await json(folder, 'session', { cache })).totals['requests']
  write('projects/-a/1.jsonl')
  write('projects/-a/1/subagents/agent-1.jsonl')
  // Long enough ago to be remembered.
  const past = new Date(Date.now() - 60_000)
  for (const name of ['projects', 'projects/-a', 'projects/-a/1', 'projects/-a/1/subagents'])
    utimesSync(path.join(folder, name), past, past)
  for (let look = 0; look < 3; look++) {
    expect(await count()).toBe(2)
    await sleep(look === 0 ? 2100 : 0) // the time after which a folder counts as settled
  }
  write('projects/-a/1/subagents/agent-2.jsonl')
  expect(await count()).toBe(3)
  write('projects/-a/2.jsonl')
  write('projects/-b/3.jsonl')
  expect(await count()).toBe(5)
  rmSync(path.join(folder, 'projects/-a/1.jsonl'))
  expect(await count()).toBe(4)
  rmSync(path.join(folder, 'projects/-a'), { recursive: true })
  expect(await count()).toBe(1)
})
