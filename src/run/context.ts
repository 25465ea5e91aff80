// What a run takes from its caller instead of from the process: environment, folders, streams. Made once, by cli.ts or a library user.
import { userInfo } from 'node:os'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { callerEnv } from '../host/caller-env.ts'
import { configDir, dataDir, packageRoot, stateDir } from '../host/paths.ts'
import type { LaunchOptions } from '../model/engine.ts'
import type { Emit } from '../model/events.ts'
import type { Policy } from '../model/policy.ts'
import type { Standing } from '../model/proof.ts'
import type { RunOptions } from '../model/run-options.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface RunContext {
  readonly env: Env
  readonly home: string
  readonly cwd: string
  readonly folders: { readonly state: string; readonly data: string; readonly config: string }
  readonly stdio: LaunchOptions['stdio']
  readonly version: string
  readonly onEvent?: Emit
  /** The policy where the caller has loaded it itself; then none is read. */
  readonly policy?: Policy
  /** Aborting it ends the cell. */
  readonly signal?: AbortSignal
  /** Asked before a run in `auto`, which does not start without: throws where the wall is not shown to hold for it. */
  readonly standing?: (asked: ProofAsked) => Promise<Standing>
}

/** Of which run a proof is wanted. */
export interface ProofAsked {
  readonly policy: Policy
  readonly project: string
  /** What the run was told, so that a refusal can name the command that shows the same. */
  readonly options: RunOptions
  readonly context: Omit<RunContext, 'standing' | 'onEvent' | 'policy'>
}

/** The context of this process: its caller's environment, folder and streams. */
export function processContext(environment: Env = process.env): Omit<RunContext, 'onEvent' | 'signal' | 'standing'> {
  const env = callerEnv(environment)
  const home = env['HOME'] !== undefined && path.isAbsolute(env['HOME']) ? env['HOME'] : userInfo().homedir
  return {
    env,
    home,
    cwd: process.cwd(),
    folders: { state: stateDir(env, home), data: dataDir(env, home), config: configDir(env, home) },
    stdio: { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' },
    version: packageVersion(),
  }
}

/** `version` of the package's own package.json. */
export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8'))
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string'
    ? parsed.version
    : 'unknown'
}
