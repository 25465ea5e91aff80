// `anchorhold run`: options to RunOptions, one run, its report. Everything after the agent's name or `--` is the agent's.
import type { Command } from 'commander'
import { isAgent } from '../agents/list.ts'
import { Failure } from '../errors/failure.ts'
import type { RunOptions } from '../model/run-options.ts'
import { processContext, type RunContext } from '../run/context.ts'
import { run, type Opened } from '../run/run.ts'
import { refuse } from './refusal.ts'
import { plainLine } from './run-line.ts'
import { runOptions, withOptions, type PolicyOptions } from './run-options.ts'

interface Flags extends PolicyOptions {
  readonly name?: string
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** What is done with a command line that was read. */
type Act = (options: RunOptions, flags: Flags) => Promise<number>

/** Performs the words after `run` where they are plain; undefined where the command-line library has to read them. */
export function performPlain(words: readonly string[]): Promise<number> | undefined {
  const line = plainLine(words)
  return line && perform(toOptions(line.first, line.rest, line.flags), line.flags).catch((error: unknown) => refuse(error, line.flags))
}

/** Adds `run` to the program. */
export function register(program: Command, act: Act = perform): void {
  const command = program
    .command('run')
    .summary('run an agent or a command inside the wall')
    .description('Runs an agent (claude) or any command in a cell that sees this project and nothing else.')
    .usage('[options] [--] <agent | command> [args…]')
    .argument('[agent|command]', "claude, or a program (default: the policy's agent)")
    .argument('[args...]', "the agent's own arguments, passed on untouched")
    .passThroughOptions()
  withOptions(command, runOptions).action(async (first: string | undefined, rest: readonly string[], flags: Flags) => {
    process.exitCode = await act(toOptions(first, rest, flags), flags)
  })
}

/** The flags as RunOptions; values are judged later, by the policy. */
export function toOptions(first: string | undefined, rest: readonly string[], flags: Flags): RunOptions {
  const { json: _json, dryRun: _dryRun, quiet: _quiet, verbose: _verbose, ...same } = flags
  if (first !== undefined && isAgent(first)) return { ...same, agent: first, args: rest }
  return { ...same, args: first === undefined ? [] : [first, ...rest] }
}

async function perform(options: RunOptions, flags: Flags): Promise<number> {
  if (flags.quiet === true && flags.verbose === true) throw new Failure('command/contradiction', { one: '--quiet', two: '--verbose' })
  const { openReport } = await import('../report/run-report.ts')
  const report = openReport({ json: flags.json === true, quiet: flags.quiet === true, verbose: flags.verbose === true })
  let opened: Opened | undefined
  const onPlan = (value: Opened): void => {
    opened = value
    if (flags.dryRun === true) report.dryRun(value)
    else report.start(value)
  }
  const silent = flags.json === true || flags.quiet === true
  const standing: RunContext['standing'] = async (asked) => (await import('./ask-proof.ts')).askProof(asked, { silent })
  const result = await run(options, { ...processContext(), onEvent: report.event, standing }, { dryRun: flags.dryRun === true, onPlan })
  if (result !== undefined && opened !== undefined) report.end(opened, result)
  return result?.exitCode ?? 0
}
