// Takes away what a killed anchorhold, or a crashed daemon, left of one session: found by its label.
import { lines, mustAsk } from '../../images/program.ts'
import { sessionLabel } from './compile.ts'
import type { Dialect } from './dialect.ts'
import { programOf } from './look.ts'

/** @throws Failure 'image/engine' where the engine does not answer: the next start tries again */
export async function reap(dialect: Dialect, session: string): Promise<readonly string[]> {
  const program = programOf(dialect)
  const found = lines(await mustAsk(program, ['ps', '--all', '--quiet', '--filter', `label=${sessionLabel}=${session}`]))
  if (found.length === 0) return []
  await mustAsk(program, ['rm', '--force', '--volumes', ...found])
  return found.map((id) => `removed container ${id}`)
}
