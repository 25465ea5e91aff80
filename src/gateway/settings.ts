// Gateway: its bounds, in one place. Sizes in bytes, times in milliseconds. Tests make them smaller; users never meet them.
export interface GatewaySettings {
  /** First synthetic address and how many there are (RFC 2544 benchmarking block: never public). */
  readonly synthetic: { readonly first: string; readonly count: number }
  /** Seconds that the cell may keep a synthetic answer. The address of a name never changes within a session. */
  readonly dnsTtlSeconds: number
  /** A head or TLS hello must be whole within this time, a SOCKS greeting as well. */
  readonly headMilliseconds: number
  readonly keepAliveMilliseconds: number
  /** Name resolution and connecting, together. */
  readonly dialMilliseconds: number
  /** No byte in either direction. */
  readonly idleMilliseconds: number
  /** No byte while one side has already ended. */
  readonly halfOpenMilliseconds: number
  /** How long the loop looks for the next piece before it sleeps; 0: not at all. */
  readonly attentionMilliseconds: number
  readonly maxConnections: number
  readonly maxHeadBytes: number
  readonly maxHeaders: number
  readonly maxHelloBytes: number
  /** Distinct refused destinations that are told one by one; more are only counted. */
  readonly maxRefusedRows: number
  /** network.allowed and network.closed events of one session; more are only counted. */
  readonly maxConnectionEvents: number
}

export const defaultSettings: GatewaySettings = {
  synthetic: { first: '198.18.0.2', count: 65_536 },
  dnsTtlSeconds: 10,
  headMilliseconds: 10_000,
  keepAliveMilliseconds: 120_000,
  dialMilliseconds: 20_000,
  idleMilliseconds: 2 * 60 * 60_000,
  halfOpenMilliseconds: 5 * 60_000,
  attentionMilliseconds: 0.1,
  maxConnections: 4_096,
  maxHeadBytes: 65_536,
  maxHeaders: 128,
  maxHelloBytes: 65_536,
  maxRefusedRows: 1_000,
  maxConnectionEvents: 20_000,
}
