// The same list of attempts from inside a cell, and, as the weakened variant of every row, from a process without a wall.
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { anchorhold, type Outcome, type World } from '../support/anchorhold.ts'

export type Attempt = { readonly kind: string } & Readonly<Record<string, unknown>>

export interface Came {
  readonly opened?: boolean
  readonly error?: string
  readonly text?: string
  readonly addresses?: readonly string[]
}

const script = path.join(import.meta.dirname, 'inside', 'attempts.mjs')

function prepare(world: World, list: readonly Attempt[]): void {
  const folder = path.join(world.project, 'probe')
  mkdirSync(folder, { recursive: true })
  copyFileSync(script, path.join(folder, 'attempts.mjs'))
  writeFileSync(path.join(folder, 'list.json'), JSON.stringify(list))
}

/** From inside a cell. A probe that could not run is a failure, never a result. */
export async function inside(
  world: World,
  options: readonly string[],
  list: readonly Attempt[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Came[] & { readonly outcome?: Outcome }> {
  prepare(world, list)
  const outcome = await anchorhold(world, ['run', ...options, '--', 'node', 'probe/attempts.mjs', 'probe/list.json'], {
    env,
    timeoutMilliseconds: 55_000,
  })
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 })
  const came = JSON.parse(outcome.stdout) as Came[]
  expect(came).toHaveLength(list.length)
  return Object.assign(came, { outcome })
}

/** The same without a wall: shows that the list reaches its witness where nothing stops it. */
export async function outside(world: World, list: readonly Attempt[]): Promise<readonly Came[]> {
  prepare(world, list)
  const { stdout } = await promisify(execFile)('node', ['probe/attempts.mjs', 'probe/list.json'], {
    cwd: world.project,
    env: world.env,
    timeout: 50_000,
  })
  return JSON.parse(stdout) as Came[]
}

/** A program without a shared library, in the project. */
export function buildStatic(world: World, name: string, source: string): string {
  const file = path.join(world.project, name)
  execFileSync('cc', ['-O1', '-static', '-x', 'c', '-o', file, '-'], { input: source })
  return file
}
