// Whether the cell shares the user's terminal: only where its standard input is that terminal.
import { isatty } from 'node:tty'
import type { LaunchOptions } from '../model/engine.ts'
import type { Plan } from '../model/plan.ts'

/** 'inherit' where standard input is a terminal and is passed on: Ctrl-C then reaches the cell from the kernel. Else a session of its own. */
export function terminalOf(stdio: LaunchOptions['stdio']): Plan['terminal'] {
  const descriptor = stdio.stdin === 'inherit' ? 0 : stdio.stdin
  return typeof descriptor === 'number' && isatty(descriptor) ? 'inherit' : 'none'
}
