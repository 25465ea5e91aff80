// A session on disk: one folder under $XDG_STATE_HOME/anchorhold/sessions.
export interface SessionRecord {
  readonly id: string
  readonly name?: string
  readonly project: string
  readonly agent: string
  readonly engine: string
  readonly startedAt: string
  readonly endedAt?: string
  /** 'running' only while the process `pid` with start time `pidStart` lives; else 'crashed' until reaped. */
  readonly state: 'running' | 'ended' | 'crashed'
  readonly pid: number
  /** Start of `pid` in clock ticks since boot (proc(5), stat field 22): a reused pid has another one. */
  readonly pidStart: number
  /** Where pid and pidStart mean something: host name, boot id and pid namespace. */
  readonly machine: string
  /** Written at the end: how many lines the journal has and the last one's hash, so that a cut tail is seen. */
  readonly journal?: { readonly lines: number; readonly hash: string }
  readonly exitCode?: number
  /** Nothing runs in it, and nothing of it stays (`--dry-run`). */
  readonly dryRun?: true
  /** In a review: the session that began the proposal this one worked on; its own id where it began one. */
  readonly proposal?: string
  readonly folder: string
}
