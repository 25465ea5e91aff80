// The line `anchorhold policy check` of the command table; what it does is loaded only when it is typed (policy-check.ts).
import type { Command } from 'commander'
import { withPolicyOptions } from './policy-input.ts'
import type { CheckFlags } from './policy-check.ts'

/** Adds `check` to the group `policy`. */
export function addCheck(group: Command): void {
  withPolicyOptions(
    group
      .command('check')
      .summary('say what a policy opens, and what would be tighter')
      .description(
        'Looks for what a policy opens without need, and for lines that do nothing: each with its place, what it means and the tighter alternative. Exit code 1 where a warning or error was found.',
      )
      .argument('[file...]', 'policy files, each by itself (default: the policy that a run here would have)'),
  )
    .option('--sarif', 'SARIF 2.1.0, for continuous integration')
    .option('--strict', 'exit code 1 for notes, too')
    .action(async (files: readonly string[], flags: CheckFlags) => {
      const { performCheck } = await import('./policy-check.ts')
      await performCheck(files, flags)
    })
}
