// All that was read, from the index and from files, as one table: what dedupe and the views start from.
import type { Log } from './find-logs.ts'
import type { Records } from './records.ts'
import type { Damage } from './scan.ts'

export interface LogFacts extends Log {
  /** Records `[from, to)` of the table; those of a last line without a line feed come at the table's end. */
  readonly from: number
  readonly to: number
  readonly offset: number
  readonly lines: number
  readonly mark: string
  readonly kept: string
  readonly project: string | undefined
  /** Damaged lines; those of a half last line in `loose`. */
  readonly damage: readonly Damage[]
  readonly loose: readonly Damage[]
  /** The agent's own totals, in dollars. */
  readonly reports: readonly (readonly [session: number, dollars: number])[]
  readonly links: readonly (readonly [session: number, parent: number])[]
  readonly trouble?: string
}

export interface Logs {
  readonly records: Pick<Records, 'numbers' | 'words' | 'length'>
  readonly sessions: readonly string[]
  readonly models: readonly string[]
  readonly files: readonly LogFacts[]
  readonly troubles: readonly { readonly path: string; readonly reason: string }[]
  readonly roots: readonly string[]
}
