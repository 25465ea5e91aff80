// Starts the real command line in a project of its own, with a home and XDG folders of its own; removes them at the end.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

export const bin: string = path.resolve(import.meta.dirname, '../../bin/anchorhold')

export interface World {
  /** A made-up user's home on the host; the project lies in `home/work/project`. */
  readonly home: string
  readonly project: string
  readonly env: Readonly<Record<string, string>>
}

export interface Outcome {
  readonly code: number
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface StartOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly timeoutMilliseconds?: number
}

/** A fresh home with one project, removed when the test ends. */
export function makeWorld(): World {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-world-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  const home = path.join(root, 'home')
  const project = path.join(home, 'work', 'project')
  mkdirSync(project, { recursive: true })
  const env = { HOME: home, PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', TERM: 'xterm-256color' }
  return { home, project, env }
}

/** Starts `anchorhold ARGS` in the project (or `cwd`). */
export function start(
  world: World,
  args: readonly string[],
  options: StartOptions = {},
): { readonly child: ChildProcess; readonly outcome: Promise<Outcome> } {
  const child = spawn(bin, args, {
    cwd: options.cwd ?? world.project,
    env: { ...world.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMilliseconds ?? 30_000)
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? -1, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() })
    })
  })
  return { child, outcome }
}

/** Runs `anchorhold ARGS` to its end. */
export function anchorhold(world: World, args: readonly string[], options: StartOptions = {}): Promise<Outcome> {
  return start(world, args, options).outcome
}

/** Runs a shell script in a cell: `anchorhold run OPTIONS -- sh -c SCRIPT`. */
export function inCell(world: World, script: string, runOptions: readonly string[] = [], options: StartOptions = {}): Promise<Outcome> {
  return anchorhold(world, ['run', ...runOptions, '--', 'sh', '-c', script], options)
}
