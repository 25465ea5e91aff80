// A command line that cannot be understood becomes a Failure, like every other refusal. Loaded only then.
import type { Command, CommanderError } from 'commander'
import { Failure } from '../errors/failure.ts'
import { nearest } from '../policy/nearest.ts'

/** Commander's own sentence, with the nearest right word or the help to read as its remedy. */
export function usageFailure(error: CommanderError, args: readonly string[], command: Command | undefined): Failure {
  const [sentence = '', suggestion] = error.message.replace(/^error: /, '').split(/\n(?=\(Did you mean )/)
  const known = command?.commands.map((child) => child.name()) ?? []
  const meant = error.code === 'commander.excessArguments' ? nearest(args[1] ?? '', known) : undefined
  const help = `See: anchorhold ${command === undefined ? '' : `${command.name()} `}--help`
  const hint = suggestion === undefined ? (meant === undefined ? help : `Did you mean ${meant}?`) : suggestion.slice(1, -1)
  return new Failure('command/usage', { what: `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1).replace(/\.$/, '')}.`, hint })
}
