// A project that is a real repository, policies for one run, and the shell lines that plant files. Git of the host runs without the caller's settings.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { makeWorld, type World } from './anchorhold.ts'

/** git of the host, with an identity of its own and no configuration but the repository's. */
export function git(folder: string, ...args: string[]): string {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' }
  return execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'protocol.file.allow=always', ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString()
}

/** A project with one commit on `main`. */
export function gitWorld(): World {
  const world = makeWorld()
  git(world.project, 'init', '-q', '-b', 'main')
  writeFileSync(path.join(world.project, 'a.txt'), 'one\n')
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'first')
  return world
}

/** Shell: who commits inside. */
export const identity: string =
  'git config --global user.name t; git config --global user.email t@example.test; git config --global protocol.file.allow always;'

/** Writes a policy outside the project; JSON is YAML. */
export function policyFile(world: World, policy: unknown): string {
  const file = path.join(world.home, `policy-${Math.random().toString(36).slice(2)}.yaml`)
  writeFileSync(file, JSON.stringify(policy))
  return file
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Shell: makes each file with its folders; never fails as a whole. */
export function plantingOf(files: readonly string[], text = 'planted'): string {
  return `{ ${files.map((file) => `mkdir -p ${quote(path.posix.dirname(file))}; echo ${text} > ${quote(file)}`).join('; ')}; } 2>/dev/null; true`
}

/** Files of the host with their folders. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
}
