// Runs git for the review, in two ways: in the user's own repository as the user's git would, but for hooks and watchers; and in a bare folder of
// anchorhold's own, which has no configuration that an agent could write. Neighbours: store.ts, replay.ts.
import { spawnSync } from 'node:child_process'
import { Failure } from '../../errors/failure.ts'
import { systemPath } from '../../host/process.ts'

export interface GitResult {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

export interface GitOptions {
  readonly input?: Buffer | string
  /** A descriptor that output goes to. */
  readonly output?: number
  readonly env?: Readonly<Record<string, string>>
}

const quiet = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'gc.auto=0',
  '-c',
  'maintenance.auto=false',
  '-c',
  'protocol.allow=never',
  '-c',
  'submodule.recurse=false',
] as const
const always = {
  PATH: systemPath,
  LANG: 'C.UTF-8',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_LAZY_FETCH: '1',
} as const

/** In the user's repository, with the user's configuration; no hook runs. */
export function userGit(project: string, args: readonly string[], options: GitOptions = {}): GitResult {
  const home = process.env['HOME']
  return run(
    ['-C', project, ...quiet, ...args],
    {
      ...always,
      ...(home === undefined ? {} : { HOME: home }),
      ...pick([
        'XDG_CONFIG_HOME',
        'GNUPGHOME',
        'SSH_AUTH_SOCK',
        'GPG_TTY',
        'GIT_AUTHOR_NAME',
        'GIT_AUTHOR_EMAIL',
        'GIT_COMMITTER_NAME',
        'GIT_COMMITTER_EMAIL',
      ]),
      ...options.env,
    },
    options,
  )
}

/** In a git folder of anchorhold's own. */
export function ownGit(gitDir: string, args: readonly string[], options: GitOptions = {}): GitResult {
  const env = {
    ...always,
    HOME: '/nonexistent',
    GIT_DIR: gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    ...options.env,
  }
  return run([...quiet, ...args], env, options)
}

/** @throws Failure apply/git */
export function must(result: GitResult, doing: string): Buffer {
  if (result.code !== 0)
    throw new Failure('apply/git', {
      doing,
      reason: result.stderr.trim().split(/\n+/).slice(0, 3).join('; ') || `exit code ${result.code}`,
    })
  return result.stdout
}

export function linesOf(output: Buffer): readonly string[] {
  return output
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}

function run(args: readonly string[], env: Readonly<Record<string, string>>, options: GitOptions): GitResult {
  const done = spawnSync('git', args, {
    cwd: '/',
    env,
    input: options.input ?? '',
    stdio: ['pipe', options.output ?? 'pipe', 'pipe'],
    maxBuffer: 2 ** 30,
    timeout: 600_000,
  })
  return { code: done.status ?? 128, stdout: done.stdout ?? Buffer.alloc(0), stderr: done.error?.message ?? done.stderr?.toString() ?? '' }
}

function pick(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
}
