// The library's one public door: the same run as the command, with typed events.
import type { Emit } from './model/events.ts'
import type { RunOptions } from './model/run-options.ts'
import type { LaunchOptions } from './model/engine.ts'
import { processContext } from './run/context.ts'
import { run as runPipeline, type RunResult } from './run/run.ts'
import { Failure } from './errors/failure.ts'

export { Failure }
export type { RunOptions, RunResult }
export type { SessionEvent } from './model/events.ts'
export type { CellEnd } from './model/engine.ts'

export interface LibraryOptions extends RunOptions {
  /** Default: this process's own environment; only what the policy names reaches the cell. */
  readonly hostEnv?: Readonly<Record<string, string | undefined>>
  /** Default: this process's own streams. */
  readonly stdio?: Partial<LaunchOptions['stdio']>
  readonly onEvent?: Emit
  /** Aborting it ends the cell. */
  readonly signal?: AbortSignal
}

/**
 * Runs an agent or a command inside the wall, as `anchorhold run` does, and resolves when nothing of the cell is left.
 * @throws Failure where the command could not be started, with `code`, `message` and `remedy`
 */
export async function run(options: LibraryOptions): Promise<RunResult> {
  const { hostEnv, stdio, onEvent, signal, ...runOptions } = options
  const context = processContext(hostEnv)
  const result = await runPipeline(runOptions, {
    ...context,
    stdio: { ...context.stdio, ...stdio },
    standing: async (asked) => (await import('./prove/require.ts')).requireStanding(asked),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(signal === undefined ? {} : { signal }),
  })
  if (result === undefined) throw new Failure('command/internal', { message: 'the run ended without a result' })
  return result
}
