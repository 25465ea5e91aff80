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
  readonly exitCode?: number
  readonly folder: string
}
