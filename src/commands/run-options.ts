// The options of a run that have their twin in the policy, the same for run, policy and explain. Values are judged later, by the policy.
import { InvalidArgumentError, type Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import type { MountMode } from '../model/policy.ts'
import type { RunOptions } from '../model/run-options.ts'

export type PolicyOptions = Omit<RunOptions, 'agent' | 'args' | 'name'>

/** Adds them to a command. Each single one may be given twice only if both say the same. */
export function withRunOptions(command: Command): Command {
  return command
    .option('--project <dir>', 'the project (default: this folder)', once('--project'))
    .option('--engine <name>', 'what builds the wall: auto, bubblewrap', once('--engine'))
    .option('--image <name>', 'the image that a container starts from; the agent is added to it', once('--image'))
    .option('--policy <file>', "a policy file instead of the user's own", once('--policy'))
    .option('--workspace <live|review|readonly>', 'how the project is shown', oneOf('--workspace', ['live', 'review', 'readonly']))
    .option('--mode <ask|allow-listed|auto>', "the agent's permission mode", oneOf('--mode', ['ask', 'allow-listed', 'auto']))
    .option('--allow <host[:port]>', 'a host that may be reached (repeatable)', collect)
    .option('--deny <host[:port]>', 'a host that may not be reached, whatever allows it (repeatable)', collect)
    .option('--route <host[:port]=address>', 'reach a name at another address (repeatable)', collect)
    .option(
      '--secret <name@host[:port]>',
      'a secret of your environment for these hosts alone; the cell sees a placeholder (repeatable)',
      collect,
    )
    .option('--env <name[=value]>', 'a variable for the cell (repeatable)', collect)
    .option('--hide <glob>', 'files that are empty inside (repeatable)', collect)
    .option('--mount <path[:ro|rw]>', 'another file or folder to show, read-only unless :rw (repeatable)', collectMount)
    .option('--budget <[scope=]amount>', 'dollars, tokens or requests for session, day or month (repeatable)', collect)
    .option('--limit <name=value>', 'memory, processes, cpus, time, tmp, disk, file-size, open-files (repeatable)', collect)
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
    if (!choices.includes(value)) throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`)
    return single(value, before)
  }
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
