// The table of commands and the way from argv to an exit code. A command's file is loaded only when it is typed.
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../run/context.ts'

interface CommandFile {
  register(program: Command): void
}

const files: Readonly<Record<string, () => Promise<CommandFile>>> = {
  run: () => import('./run.ts'),
  demo: () => import('./demo.ts'),
  agents: () => import('./agents.ts'),
  policy: () => import('./policy.ts'),
  explain: () => import('./explain.ts'),
  secret: () => import('./secret.ts'),
  trust: () => import('./trust.ts'),
  init: () => import('./init.ts'),
  sessions: () => import('./sessions.ts'),
  restore: () => import('./sessions.ts'),
  log: () => import('./log.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
}

/** Exit code for a command line that cannot be understood. */
const failed = 125

/** Performs one command line and ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
  process.exit(await perform(args))
}

async function perform(args: readonly string[]): Promise<number> {
  const program = await buildProgram(args[0])
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    if (error instanceof CommanderError && error.code === 'commander.help') return failed // a group without a command: its help was printed
    const { exitCodeOf, renderFailure } = await import('../report/failure.ts')
    const command = program.commands.find((candidate) => candidate.name() === args[0])
    const flags = command?.opts() ?? {}
    const failure = error instanceof CommanderError ? (await import('./usage.ts')).usageFailure(error, args, command) : error
    process.stderr.write(renderFailure(failure, { json: flags['json'] === true, verbose: flags['verbose'] === true }))
    return exitCodeOf(failure)
  }
}

/** The whole program, or only as much of it as `name` needs. */
export async function buildProgram(name?: string): Promise<Command> {
  const program = new Command('anchorhold')
    .description('Runs an AI coding agent inside a wall, so that its full autonomy is safe to grant.')
    .version(packageVersion(), '-V, --version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => undefined }) // rendered like every other failure
    .exitOverride()
  const only = name === undefined ? undefined : files[name]
  const loads = only === undefined ? [...new Set(Object.values(files))] : [only]
  const loaded = new Set(await Promise.all(loads.map((load) => load())))
  for (const file of loaded) file.register(program)
  return program
}
