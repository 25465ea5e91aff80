// The options of a run that have their twin in the policy, the same for run, policy and explain. Values are judged later, by the policy.
import type { Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import type { MountMode } from '../model/policy.ts'
import type { RunOptions } from '../model/run-options.ts'

export type PolicyOptions = Omit<RunOptions, 'agent' | 'args' | 'name'>

/** One option of a command line: with `take` it has a value, without it is a switch. */
export interface CommandOption {
  /** `--name <value>` or `--name`. */
  readonly flags: string
  readonly what: string
  /** The option's value after one more time that it was given. Throws for what can't stand there. */
  readonly take?: (value: string, before: never) => unknown
}

const option = <T>(flags: string, what: string, take: (value: string, before: T | undefined) => T): CommandOption => ({ flags, what, take })

/** Each single one may be given twice only if both say the same. */
const policyOptions: readonly CommandOption[] = [
  option('--project <dir>', 'the project (default: this folder)', once('--project')),
  option('--engine <name>', 'what builds the wall: auto, bubblewrap, docker', once('--engine')),
  option('--image <name>', 'the image that a container starts from; the agent is added to it', once('--image')),
  option('--policy <file>', "a policy file instead of the user's own", once('--policy')),
  option('--workspace <live|review|readonly>', 'how the project is shown', oneOf('--workspace', ['live', 'review', 'readonly'])),
  option('--mode <ask|allow-listed|auto>', "the agent's permission mode", oneOf('--mode', ['ask', 'allow-listed', 'auto'])),
  option('--allow <host[:port]>', 'a host that may be reached (repeatable)', collect),
  option('--deny <host[:port]>', 'a host that may not be reached, whatever allows it (repeatable)', collect),
  option('--route <host[:port]=address>', 'reach a name at another address (repeatable)', collect),
  option(
    '--secret <name@host[:port]>',
    'a secret of your environment for these hosts alone; the cell sees a placeholder (repeatable)',
    collect,
  ),
  option('--env <name[=value]>', 'a variable for the cell (repeatable)', collect),
  option('--hide <glob>', 'files that are empty inside (repeatable)', collect),
  option('--mount <path[:ro|rw]>', 'another file or folder to show, read-only unless :rw (repeatable)', collectMount),
  option('--budget <[scope=]amount>', 'dollars, tokens or requests for session, day or month (repeatable)', collect),
  option('--limit <name=value>', 'memory, processes, cpus, time, tmp, disk, file-size, open-files (repeatable)', collect),
]

/** All options of `run`. */
export const runOptions: readonly CommandOption[] = [
  ...policyOptions,
  option('--name <name>', 'a name for the session', once('--name')),
  option('--continue <id>', 'go on in the view of an earlier proposal: its id, the beginning of one, or its name', once('--continue')),
  { flags: '--json', what: 'events and the result as JSON lines on standard error' },
  { flags: '--dry-run', what: 'show the plan and the exact engine command; run nothing' },
  { flags: '--quiet', what: 'no word of our own unless it failed' },
  { flags: '--verbose', what: 'say what is done' },
]

/** Adds the options of a run that have their twin in the policy. */
export function withRunOptions(command: Command): Command {
  return withOptions(command, policyOptions)
}

/** Adds options to a command. */
export function withOptions(command: Command, options: readonly CommandOption[]): Command {
  for (const { flags, what, take } of options) {
    if (take === undefined) command.option(flags, what)
    else command.option(flags, what, take as (value: string, before: unknown) => unknown)
  }
  return command
}

/** @throws Failure `command/contradiction` for a second value that differs from the first */
export function once(flag: string): (value: string, before: string | undefined) => string {
  return (value, before) => {
    if (before !== undefined && before !== value)
      throw new Failure('command/contradiction', { one: `${flag} ${before}`, two: `${flag} ${value}` })
    return value
  }
}

function oneOf(flag: string, choices: readonly string[]): (value: string, before: string | undefined) => string {
  const single = once(flag)
  return (value, before) => {
    if (!choices.includes(value)) throw new BadChoice(`Allowed choices are ${choices.join(', ')}.`)
    return single(value, before)
  }
}

/** A value that can't stand there: the command-line library knows it by its code, and names the option. */
class BadChoice extends Error {
  readonly code = 'commander.invalidArgument'
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

type Mounts = NonNullable<RunOptions['mount']>

/** `PATH`, `PATH:ro` or `PATH:rw`. */
function collectMount(text: string, before: Mounts | undefined): Mounts {
  const match = /^(.*):(ro|rw)$/s.exec(text)
  const mode: MountMode = match?.[2] === 'rw' ? 'rw' : 'ro'
  return [...(before ?? []), { path: match?.[1] ?? text, mode }]
}
