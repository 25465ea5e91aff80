// The table of commands. A command's file is loaded only when it is typed.
import type { Command } from 'commander'
import type { CommandTable } from './perform.ts'

const table: CommandTable = {
  run: () => import('./run.ts'),
  demo: () => import('./demo.ts'),
  agents: () => import('./agents.ts'),
  image: () => import('./image.ts'),
  export: () => import('./export.ts'),
  policy: () => import('./policy.ts'),
  explain: () => import('./explain.ts'),
  secret: () => import('./secret.ts'),
  trust: () => import('./trust.ts'),
  init: () => import('./init.ts'),
  diff: () => import('./diff.ts'),
  apply: () => import('./apply.ts'),
  undo: () => import('./undo.ts'),
  discard: () => import('./discard.ts'),
  sessions: () => import('./sessions.ts'),
  restore: () => import('./sessions.ts'),
  log: () => import('./log.ts'),
  budget: () => import('./budget.ts'),
  cost: () => import('./cost.ts'),
  statusline: () => import('./statusline.ts'),
  prove: () => import('./prove.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
}

/** Performs one command line and ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const [name, ...words] = args
  const plain = name === 'run' ? (await import('./run.ts')).performPlain(words) : undefined
  process.exit(await (plain ?? (await import('./perform.ts')).perform(args, table)))
}

/** The whole program, or only as much of it as `name` needs. */
export async function buildProgram(name?: string): Promise<Command> {
  return (await import('./perform.ts')).programOf(table, name)
}
