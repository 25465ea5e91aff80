// The code blocks of README and docs are executed: shell through the real command in a scratch project, policies by the real schema.
import { spawn } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { policySchema } from '../../src/policy/schema.ts'
import { bin, makeWorld, type World } from '../support/anchorhold.ts'
import { blocksOf, pages, type Block } from './pages.ts'

const blocks = pages.flatMap(blocksOf)
const where = ({ page, line }: Block): string => `${page}:${line}`

test('every block says what it is, and one that is not run says why', () => {
  const known = ['sh', 'sh no-run', 'yaml', 'console', 'text', 'json']
  expect(blocks.filter(({ kind }) => !known.includes(kind)).map(where)).toEqual([])
  expect(blocks.filter(({ kind, reason }) => (kind === 'sh no-run') !== (reason !== undefined)).map(where)).toEqual([])
  expect(blocks.filter(({ kind }) => kind === 'sh').length).toBeGreaterThan(0)
})

test.each(blocks.filter(({ kind }) => kind === 'yaml').map((block) => [where(block), block] as const))(
  '%s is a policy',
  (_where, block) => {
    expect(policySchema.safeParse(parse(block.code)).error?.message).toBeUndefined()
  },
)

test.each(blocks.filter(({ kind }) => kind === 'sh').map((block) => [where(block), block] as const))(
  '%s works as written',
  async (_where, block) => {
    const { code, output } = await shell(readersWorld(), block.code)
    expect(code, output).toBe(0)
    expect(output).not.toMatch(/unknown (option|command)|anchorhold: not set up/)
  },
  120_000,
)

/** A project as a reader has one, with the command in PATH. */
function readersWorld(): World {
  const world = makeWorld()
  const folder = path.join(world.home, 'bin')
  mkdirSync(folder)
  symlinkSync(bin, path.join(folder, 'anchorhold'))
  writeFileSync(path.join(world.project, 'Makefile'), 'test:\n\t@echo tested\n')
  writeFileSync(path.join(world.project, 'package.json'), '{ "private": true }\n')
  return { ...world, env: { ...world.env, PATH: `${folder}:${world.env['PATH'] ?? ''}` } }
}

function shell(world: World, script: string): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn('/bin/sh', ['-eu', '-c', script], {
    cwd: world.project,
    env: world.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 110_000,
  })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, output: Buffer.concat(output).toString() }))
  })
}
