// The way from argv to an exit code, for any table of commands: main.ts has all of them, cost-cli.ts the ones that need nothing of a run.
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../run/context.ts'
import { refuse } from './refusal.ts'

export interface CommandFile {
  register(program: Command): void
}
export type CommandTable = Readonly<Record<string, () => CommandFile | Promise<CommandFile>>>

/** Exit code for a command line that cannot be understood. */
const failed = 125

/** Performs one command line; its exit code. */
export async function perform(args: readonly string[], table: CommandTable): Promise<number> {
  const program = await programOf(table, args[0])
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    if (error instanceof CommanderError && error.code === 'commander.help') return failed // a group without a command: its help was printed
    const command = program.commands.find((candidate) => candidate.name() === args[0])
    const failure = error instanceof CommanderError ? (await import('./usage.ts')).usageFailure(error, args, command) : error
    return refuse(failure, command?.opts() ?? {})
  }
}

/** The whole program of a table, or only as much of it as `name` needs. */
export async function programOf(table: CommandTable, name?: string): Promise<Command> {
  const program = new Command('anchorhold')
    .description('Runs an AI coding agent inside a wall, so that its full autonomy is safe to grant.')
    .version(packageVersion(), '-V, --version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => undefined }) // rendered like every other failure
    .exitOverride()
  const only = name === undefined ? undefined : table[name]
  const loads = only === undefined ? [...new Set(Object.values(table))] : [only]
  const loaded = new Set(await Promise.all(loads.map(async (load) => load())))
  for (const file of loaded) file.register(program)
  return program
}
