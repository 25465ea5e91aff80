// `anchorhold policy check` for people: one block for each finding, then one line that counts them.
import type { CheckFinding, Severity } from '../policy/check/types.ts'
import { styleFor } from '../report/style.ts'
import { plain } from '../report/text.ts'

/** How many there are of each severity. */
export function countsOf(found: readonly CheckFinding[]): Readonly<Record<Severity, number>> {
  const count = (wanted: Severity): number => found.filter(({ severity }) => severity === wanted).length
  return { error: count('error'), warning: count('warning'), note: count('note') }
}

/** @param files what was read; none where there is no policy file */
export function checkLines(found: readonly CheckFinding[], files: readonly string[], notes: readonly string[]): readonly string[] {
  const style = styleFor(process.stdout)
  const paint: Readonly<Record<Severity, (text: string) => string>> = {
    error: (text) => style.bad(text),
    warning: (text) => style.warn(text),
    note: (text) => style.dim(text),
  }
  const blocks = found.flatMap((finding) => [
    `${style.bold(plain(placeOf(finding)))}: ${paint[finding.severity](finding.severity)}: ${plain(finding.subject)} ${style.dim(`[${finding.id}]`)}`,
    `    ${plain(finding.means)}`,
    ...(finding.instead === undefined ? [] : [`    ${style.good('instead:')} ${plain(finding.instead)}`]),
  ])
  const of = files.length === 0 ? 'no policy file, built-in rules and flags only' : files.map((file) => plain(file)).join(', ')
  return [...blocks, ...(blocks.length > 0 ? [''] : []), ...notes.map((note) => `note: ${plain(note)}`), `${summary(found)} (${of}).`]
}

function placeOf({ origin }: CheckFinding): string {
  if (origin.line === undefined) return origin.kind === 'flag' ? `the flag ${origin.source}` : origin.source
  return `${origin.source}:${origin.line}:${origin.column ?? 1}`
}

function summary(found: readonly CheckFinding[]): string {
  if (found.length === 0) return 'Nothing to say'
  const { error, warning, note } = countsOf(found)
  const parts = [
    [error, 'error'],
    [warning, 'warning'],
    [note, 'note'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}${count === 1 ? '' : 's'}`)
    .join(', ')
}
