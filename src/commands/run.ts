// `anchorhold run`: options to RunOptions, one run, its report. Everything after the agent's name or `--` is the agent's.
import { Option, type Command } from 'commander'
import { isAgent } from '../agents/list.ts'
import { Failure } from '../errors/failure.ts'
import type { EngineChoice, MountMode, PermissionMode, WorkspaceMode } from '../model/policy.ts'
import type { RunOptions } from '../model/run-options.ts'
import { processContext } from '../run/context.ts'
import { run, type Opened } from '../run/run.ts'

interface Flags {
  readonly project?: string
  readonly engine?: EngineChoice
  readonly policy?: string
  readonly workspace?: WorkspaceMode
  readonly mode?: PermissionMode
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly route?: readonly string[]
  readonly env?: readonly string[]
  readonly hide?: readonly string[]
  readonly mount?: readonly string[]
  readonly limit?: readonly string[]
  readonly name?: string
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** Adds `run` to the program. */
export function register(program: Command): void {
  program
    .command('run')
    .summary('run an agent or a command inside the wall')
    .description('Runs an agent (claude) or any command in a cell that sees this project and nothing else.')
    .usage('[options] [--] <agent | command> [args…]')
    .argument('<agent|command>', 'claude, or a program')
    .argument('[args...]', "the agent's own arguments, passed on untouched")
    .passThroughOptions()
    .option('--project <dir>', 'the project (default: this folder)')
    .option('--engine <name>', 'what builds the wall: auto, bubblewrap')
    .option('--policy <file>', "a policy file instead of the user's own")
    .addOption(new Option('--workspace <mode>', 'how the project is shown').choices(['live', 'readonly', 'review']))
    .addOption(new Option('--mode <mode>', "the agent's permission mode").choices(['ask', 'allow-listed', 'auto']))
    .option('--allow <host[:port]>', 'a host that may be reached (repeatable)', collect)
    .option('--deny <host[:port]>', 'a host that may not be reached, whatever allows it (repeatable)', collect)
    .option('--route <host[:port]=address>', 'reach a name at another address (repeatable)', collect)
    .option('--env <name[=value]>', 'a variable for the cell (repeatable)', collect)
    .option('--hide <glob>', 'files that are empty inside (repeatable)', collect)
    .option('--mount <path[:ro|rw]>', 'another file or folder to show, read-only unless :rw (repeatable)', collect)
    .option('--limit <name=value>', 'memory, processes, cpus, time, tmp, file-size, open-files (repeatable)', collect)
    .option('--name <name>', 'a name for the session')
    .option('--json', 'events and the result as JSON lines on standard error')
    .option('--dry-run', 'show the plan and the exact engine command; run nothing')
    .option('--quiet', 'no word of our own unless it failed')
    .option('--verbose', 'say what is done')
    .action(async (first: string, rest: readonly string[], flags: Flags) => {
      process.exitCode = await perform(toOptions(first, rest, flags), flags)
    })
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** The flags as RunOptions; values are judged later, by the policy. */
function toOptions(first: string, rest: readonly string[], flags: Flags): RunOptions {
  const { json: _json, dryRun: _dryRun, quiet: _quiet, verbose: _verbose, mount, ...same } = flags
  const named = isAgent(first)
  return {
    ...same,
    ...(named ? { agent: first } : {}),
    args: named ? rest : [first, ...rest],
    ...(mount === undefined ? {} : { mount: mount.map(parseMount) }),
  }
}

/** `PATH`, `PATH:ro` or `PATH:rw`. */
function parseMount(text: string): { readonly path: string; readonly mode: MountMode } {
  const match = /^(.*):(ro|rw)$/s.exec(text)
  if (match?.[1] !== undefined) return { path: match[1], mode: match[2] === 'rw' ? 'rw' : 'ro' }
  return { path: text, mode: 'ro' }
}

async function perform(options: RunOptions, flags: Flags): Promise<number> {
  if (flags.quiet === true && flags.verbose === true) throw new Failure('command/contradiction', { one: '--quiet', two: '--verbose' })
  const { openReport } = await import('../report/run-report.ts')
  const report = openReport({ json: flags.json === true, quiet: flags.quiet === true, verbose: flags.verbose === true })
  const onPlan = (opened: Opened): 'go' | 'stop' => {
    if (flags.dryRun !== true) {
      report.start(opened)
      return 'go'
    }
    report.dryRun(opened)
    return 'stop'
  }
  let opened: Opened | undefined
  const result = await run(options, { ...processContext(), onEvent: report.event }, (value) => {
    opened = value
    return onPlan(value)
  })
  if (result !== undefined && opened !== undefined) report.end(opened, result)
  return result?.exitCode ?? 0
}
