// Everything that happens in a session: one union, written to the journal, given to library users, read by every report.
import type { EnforcedLimit, CellEnd } from './engine.ts'
import type { BudgetScope, BudgetUnit } from './budget.ts'
import type { EngineName, PermissionMode, WorkspaceMode } from './policy.ts'
import type { SecretPlace } from './secret.ts'

export type SessionEvent =
  | {
      readonly kind: 'session.started'
      readonly session: string
      readonly name?: string
      readonly project: string
      readonly agent: string
      readonly argv: readonly string[]
      readonly engine: EngineName
      readonly workspace: WorkspaceMode
      readonly permissions: PermissionMode
      readonly policyDigest: string
      readonly version: string
      readonly pid: number
    }
  /** Before a run in `auto`: when (ISO 8601) and by how many probes it was shown that the wall holds; `fresh`: for this very start. */
  | { readonly kind: 'wall.proven'; readonly date: string; readonly probes: number; readonly fresh: boolean }
  | { readonly kind: 'wall.checked'; readonly probes: number; readonly milliseconds: number }
  | { readonly kind: 'files.hidden'; readonly paths: readonly string[] }
  | { readonly kind: 'files.protected'; readonly count: number; readonly milliseconds: number }
  | { readonly kind: 'file.quarantined'; readonly path: string; readonly rule: string; readonly kept: string; readonly restore: string }
  | { readonly kind: 'file.protection-renewed'; readonly path: string }
  | { readonly kind: 'git.merged'; readonly path: string; readonly keys: readonly string[] }
  | { readonly kind: 'git.held'; readonly path: string; readonly keys: readonly string[]; readonly kept: string }
  /** `view` says how the project is kept apart; `because`: why it is no overlay. `proposal` is the id that diff and apply take. */
  | {
      readonly kind: 'review.opened'
      readonly proposal: string
      readonly continued: boolean
      readonly view: 'overlay' | 'reflink' | 'copy'
      readonly because?: string
      readonly milliseconds: number
    }
  /** What is done to make the cell's image, once for each content. */
  | { readonly kind: 'image.step'; readonly message: string }
  /** While a copy is made: bytes so far, of so many. */
  | { readonly kind: 'review.copying'; readonly bytes: number; readonly of: number }
  | { readonly kind: 'review.ended'; readonly proposal: string; readonly changes: number; readonly eyes?: number }
  | { readonly kind: 'network.allowed'; readonly host: string; readonly port: number; readonly how: NetworkHow; readonly rule: string }
  | {
      readonly kind: 'network.refused'
      readonly host: string
      readonly port: number
      readonly how: NetworkHow
      readonly code: string
      readonly reason: string
      readonly remedy?: string
    }
  | {
      readonly kind: 'network.failed'
      readonly host: string
      readonly port: number
      readonly how: NetworkHow
      readonly code: string
      readonly reason: string
    }
  | {
      readonly kind: 'network.closed'
      readonly host: string
      readonly port: number
      readonly how: NetworkHow
      readonly sent: number
      readonly received: number
      readonly milliseconds: number
    }
  /** A secret was put into requests to this host, `count` times since the last such event of the same kind. */
  | {
      readonly kind: 'secret.used'
      readonly name: string
      readonly host: string
      readonly port: number
      /** `signature`: it was not sent, but signed with (AWS). */
      readonly place: SecretPlace | 'signature'
      readonly count: number
    }
  /** An answer held the value of a secret, which was taken out of it. Told once for each host. */
  | { readonly kind: 'secret.echoed'; readonly name: string; readonly host: string; readonly port: number }
  | ScanEvent
  /** One request to a model, with what its answer told of its usage (docs/cost.md). */
  | ModelUsage
  /** So much of a budget is spent that the user and the agent are told; once for each limit. In the limit's unit. */
  | {
      readonly kind: 'budget.warning'
      readonly scope: BudgetScope
      readonly unit: BudgetUnit
      readonly spent: number
      readonly limit: number
      /** The command that raises it. */
      readonly raise: string
    }
  | { readonly kind: 'budget.refused'; readonly reason: string }
  /** Where the budget stands at the end. */
  | {
      readonly kind: 'budget.state'
      readonly rows: readonly { readonly scope: BudgetScope; readonly unit: BudgetUnit; readonly spent: number; readonly limit: number }[]
    }
  | { readonly kind: 'limits'; readonly rows: readonly EnforcedLimit[] }
  | { readonly kind: 'warning'; readonly code: string; readonly message: string; readonly remedy?: string }
  /** Stands for `count` further events of kind `of` to one host that were not written one by one. */
  | {
      readonly kind: 'network.repeated'
      readonly of: 'network.allowed' | 'network.refused' | 'network.failed' | 'network.closed'
      readonly host: string
      readonly port: number
      /** Of refusals: the one code that all of them have. */
      readonly code?: string
      readonly count: number
      readonly sent: number
      readonly received: number
    }
  /** The journal reached its size: events after this line were counted, not written (the end still is). */
  | { readonly kind: 'journal.full'; readonly bytes: number }
  /** What the next start cleared away after this session's anchorhold was killed. */
  | { readonly kind: 'session.reaped'; readonly did: readonly string[] }
  | { readonly kind: 'session.ended'; readonly end: CellEnd; readonly exitCode: number; readonly milliseconds: number }

/** What the run wrote was looked through for secrets (run/scan-written.ts). Told at its end, where it wrote anything. */
export interface ScanEvent {
  readonly kind: 'secret.scanned'
  /** Files and bytes that were read. */
  readonly files: number
  readonly bytes: number
  /** How many findings there are; the first of them follow. */
  readonly found: number
  readonly findings: readonly {
    /** Relative to the project; in the agent's home after `home:`, taken away after `quarantine:`. */
    readonly file: string
    readonly line: number
    /** `known`: the value of the user's secret `name`, written in `form`; `format`: something that looks like a `name`. */
    readonly of: 'known' | 'format'
    readonly name: string
    readonly form?: string
  }[]
  /** False where the bounds of time and size left something unread. */
  readonly complete: boolean
}

export interface ModelUsage {
  readonly kind: 'model.usage'
  readonly host: string
  readonly port: number
  /** The shape of the API: `anthropic-messages`, `openai-responses`, `openai-chat`. */
  readonly api: string
  /** The agent's own id of its session, where its requests carry one. */
  readonly agentSession?: string
  readonly model?: string
  readonly status: number
  readonly streamed: boolean
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheWrite5mTokens: number
  readonly cacheWrite1hTokens: number
  readonly cacheReadTokens: number
  readonly webSearches: number
  /** Dollars; absent where the model has no price. */
  readonly usd?: number
  readonly unpriced?: true
  /** `told` by the API; an `estimate` where the cell broke it off; the `worst case` where the API did not tell; `part`: without a budget, as far as told. */
  readonly counted: 'told' | 'part' | 'estimate' | 'worst case'
  readonly timeToFirstTokenMs?: number
  readonly milliseconds: number
}

export type NetworkHow = 'dns' | 'tls' | 'http' | 'tcp' | 'http-proxy' | 'socks-proxy'

/** One line of the journal: JSON, `hash` = sha-256 over the previous line's hash and this line without `hash`. */
export interface JournalLine {
  readonly seq: number
  readonly time: string
  readonly event: SessionEvent
  readonly hash: string
}

export type Emit = (event: SessionEvent) => void
