// Gateway: what is told to the journal, bounded and deduplicated, and what the end-of-run summary counts. Every phase writes here.
import type { Emit } from '../model/events.ts'
import type { Asked, Refusal } from './context.ts'
import type { GatewaySettings } from './settings.ts'

export interface RefusedRow {
  readonly host: string
  readonly port: number
  readonly code: string
  readonly reason: string
  readonly remedy?: string
  readonly count: number
}

export interface AllowedRow {
  readonly host: string
  readonly port: number
  readonly connections: number
  /** Bytes out of and into the cell. */
  readonly sent: number
  readonly received: number
}

export interface GatewayStats {
  readonly allowed: readonly AllowedRow[]
  /** Grouped by host, port and code; the most frequent first. */
  readonly refused: readonly RefusedRow[]
  /** Refusals beyond the bound on rows; counted only. */
  readonly refusedMore: number
}

export interface Ledger {
  refused(asked: Asked, refusal: Refusal): void
  allowed(asked: Asked, rule: string): void
  failed(asked: Asked, code: string, reason: string): void
  closed(asked: Asked, bytes: { readonly sent: number; readonly received: number; readonly milliseconds: number }): void
  warn(code: string, message: string): void
  stats(): GatewayStats
}

type Counted<T> = { -readonly [K in keyof T]: T[K] }

/** Each refusal is told once per destination, way and code; counts go on. `onBroken` is called when the journal cannot be written. */
export function makeLedger(emit: Emit, settings: GatewaySettings, onBroken: (error: unknown) => void): Ledger {
  const refused = new Map<string, Counted<RefusedRow>>()
  const allowed = new Map<string, Counted<AllowedRow>>()
  const told = new Set<string>()
  let refusedMore = 0
  let events = 0
  const tell: Emit = (event) => {
    try {
      emit(event)
    } catch (error) {
      onBroken(error)
    }
  }
  const once = (key: string): boolean => {
    if (told.has(key) || told.size >= settings.maxRefusedRows * 4) return false
    told.add(key)
    return true
  }
  const warn = (code: string, message: string): void => {
    if (once(`warning ${code}`)) tell({ kind: 'warning', code, message })
  }
  const counted = (): boolean => {
    events += 1
    if (events > settings.maxConnectionEvents)
      warn('network-events', 'more connections than the journal takes one by one; from here on they are only counted')
    return events <= settings.maxConnectionEvents
  }
  const rowOf = (asked: Asked): Counted<AllowedRow> => {
    const key = `${asked.host}:${asked.port}`
    const row = allowed.get(key) ?? { host: asked.host, port: asked.port, connections: 0, sent: 0, received: 0 }
    if (allowed.size < settings.maxRefusedRows) allowed.set(key, row)
    return row
  }
  return {
    refused(asked, refusal) {
      const { code, reason, remedy } = refusal
      const key = `${asked.host}:${asked.port} ${code}`
      const row = refused.get(key)
      if (row !== undefined) row.count += 1
      else if (refused.size < settings.maxRefusedRows)
        refused.set(key, { host: asked.host, port: asked.port, code, reason, ...(remedy === undefined ? {} : { remedy }), count: 1 })
      else {
        refusedMore += 1
        warn('network-refusals', 'more refused destinations than the journal takes one by one; from here on they are only counted')
        return
      }
      if (once(`${asked.how} ${key}`))
        tell({ kind: 'network.refused', ...asked, code, reason, ...(remedy === undefined ? {} : { remedy }) })
    },
    allowed(asked, rule) {
      rowOf(asked).connections += 1
      if (counted()) tell({ kind: 'network.allowed', ...asked, rule })
    },
    failed(asked, code, reason) {
      if (counted()) tell({ kind: 'network.failed', ...asked, code, reason })
    },
    closed(asked, bytes) {
      const row = rowOf(asked)
      row.sent += bytes.sent
      row.received += bytes.received
      if (counted()) tell({ kind: 'network.closed', ...asked, ...bytes })
    },
    warn,
    stats: () => ({
      allowed: [...allowed.values()].map((row) => ({ ...row })),
      refused: [...refused.values()].sort((a, b) => b.count - a.count).map((row) => ({ ...row })),
      refusedMore,
    }),
  }
}
