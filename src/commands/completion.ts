// `anchorhold completion`: a script for the shell, from the whole tree of commands.
import type { Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import { completionScript } from '../report/completion.ts'

/** Adds `completion` to the program. */
export function register(program: Command): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description(
      'Prints a completion script: eval "$(anchorhold completion bash)", source <(anchorhold completion zsh), anchorhold completion fish | source.',
    )
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      if (shell !== 'bash' && shell !== 'zsh' && shell !== 'fish') throw new Failure('session/bad-shell', { shell })
      // Only the typed command is loaded by now; a completion is of all.
      const { buildProgram } = await import('./main.ts')
      process.stdout.write(completionScript(shell, await buildProgram()))
    })
}
