// Whether the cell shares the user's terminal: only where one of its streams is that terminal.
import { isatty } from 'node:tty'
import type { LaunchOptions } from '../model/engine.ts'
import type { Plan } from '../model/plan.ts'

/** 'inherit' where a stream that is passed on is a terminal; else the cell gets a session of its own without one. */
export function terminalOf(stdio: LaunchOptions['stdio']): Plan['terminal'] {
  const streams = [stdio.stdin, stdio.stdout, stdio.stderr].map((stream, index) => (stream === 'inherit' ? index : stream))
  return streams.some((stream) => typeof stream === 'number' && isatty(stream)) ? 'inherit' : 'none'
}
