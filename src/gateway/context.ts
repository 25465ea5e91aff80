// Gateway: what every phase of one connection is handed. Made once per session by open.ts.
import type { NetworkHow } from '../model/events.ts'
import type { CanonicalHost, Policy } from '../model/policy.ts'
import type { Destination } from '../model/verdict.ts'
import type { Attention } from './attention.ts'
import type { GatewaySettings } from './settings.ts'
import type { Buffers } from './tunnel/buffers.ts'
import type { Names } from './names/table.ts'
import type { Inlet } from './inlet.ts'
import type { Ledger } from './ledger.ts'
import type { Pool } from './upstream/pool.ts'
import type { Deadlines } from './deadlines.ts'
import type { Concerns } from './steps/concerns.ts'
import type { Dialler } from './dial/dial.ts'
import type { Reach } from './dial/resolve.ts'
import type { Step } from './steps/step.ts'
import type { Ending } from './tls/serve.ts'

export type Network = Policy['network']

/** Why something is refused, ready for the journal, the agent and the user. Never holds raw bytes of the cell. */
export interface Refusal {
  readonly code: string
  readonly reason: string
  readonly remedy?: string
}

/** What was asked for, as far as it could be understood; `host` is safe to print. */
export interface Asked {
  readonly host: string
  readonly port: number
  readonly how: NetworkHow
}

export type Target = Destination & { readonly host: CanonicalHost }

/** A connection of the cell with the place it is for. */
export interface Arrival {
  readonly inlet: Inlet
  /** Host and port as the address table or a proxy request said; the host is canonical. */
  readonly target: Target
  /** Set after a proxy request: how the cell came here, and what the name resolved to. */
  readonly by?: NetworkHow
  readonly reach?: Reach
}

export interface GatewayContext {
  /** The one door (door.ts), for the phases behind it that send a connection back to it. Never rejects. */
  readonly enter: (context: GatewayContext, arrival: Arrival) => Promise<void>
  readonly network: Network
  readonly settings: GatewaySettings
  readonly names: Names
  readonly ledger: Ledger
  readonly dialler: Dialler
  /** Kept connections to servers, of this session alone. */
  readonly pool: Pool
  /** What requests that can be read go through, in order (steps/step.ts). */
  readonly steps: readonly Step[]
  /** Ends TLS; undefined in a session that has no reason to. */
  readonly ending: Ending | undefined
  /** Which of them concern a place, asked once for each. */
  readonly concerns: Concerns
  readonly deadlines: Deadlines
  readonly buffers: Buffers
  readonly attention: Attention
  /** Aborted once, when the gateway closes. */
  readonly signal: AbortSignal
}
