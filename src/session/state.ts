// What a session amounts to so far, folded from its events; the end-of-run summary and `log` are made from it.
// Bounded: counts go on, lists stop growing.
import type { CellEnd, EnforcedLimit } from '../model/engine.ts'
import type { ScanEvent, SessionEvent } from '../model/events.ts'

type Of<K extends SessionEvent['kind']> = Extract<SessionEvent, { kind: K }>

export interface RefusedHost {
  readonly host: string
  readonly port: number
  readonly code: string
  readonly reason: string
  readonly remedy?: string
  count: number
}

/** Counts are exact; lists hold the first `listLimit` entries. */
export interface SessionState {
  started?: Of<'session.started'>
  hidden: number
  readonly hiddenPaths: string[]
  protectedCount: number
  readonly quarantined: Of<'file.quarantined'>[]
  quarantinedCount: number
  readonly merged: Of<'git.merged'>[]
  readonly held: Of<'git.held'>[]
  /** A row for each reason that a host and port was refused for, up to `mostReasons` of them; by host, port, code and reason. */
  readonly refused: Map<string, RefusedHost>
  /** Refusals of hosts beyond the list, and for further reasons. */
  refusedElse: number
  readonly failed: Map<string, { readonly host: string; readonly port: number; readonly reason: string; count: number }>
  readonly allowed: Map<string, { readonly host: string; readonly port: number; count: number }>
  /** How often each secret was put in, by name, and the hosts that got it. */
  readonly secrets: Map<string, { count: number; readonly hosts: Set<string> }>
  readonly echoed: Of<'secret.echoed'>[]
  /** Of what the run wrote; absent where it wrote nothing. */
  scanned?: ScanEvent
  sent: number
  received: number
  limits: readonly EnforcedLimit[]
  proven?: Of<'wall.proven'>
  review?: Of<'review.opened'>
  reviewed?: Of<'review.ended'>
  readonly models: ModelTotals
  readonly budgetRefused: string[]
  budget?: Of<'budget.state'>['rows']
  readonly warnings: Of<'warning'>[]
  journalFull: boolean
  end?: { readonly end: CellEnd; readonly exitCode: number; readonly milliseconds: number }
}

/** Of every request to a model. */
export interface ModelTotals {
  requests: number
  input: number
  output: number
  cacheWrite5m: number
  cacheWrite1h: number
  cacheRead: number
  webSearches: number
  /** Dollars; the floor, where `unpriced` is not 0. */
  usd: number
  /** Tokens of models without a price. */
  unpriced: number
  /** Requests whose usage the API did not tell. */
  untold: number
}

const listLimit = 1_000
/** Told of one host and port. */
const mostReasons = 8

export function emptyState(): SessionState {
  return {
    hidden: 0,
    hiddenPaths: [],
    protectedCount: 0,
    quarantined: [],
    quarantinedCount: 0,
    merged: [],
    held: [],
    refused: new Map(),
    refusedElse: 0,
    failed: new Map(),
    allowed: new Map(),
    secrets: new Map(),
    echoed: [],
    models: {
      requests: 0,
      input: 0,
      output: 0,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      cacheRead: 0,
      webSearches: 0,
      usd: 0,
      unpriced: 0,
      untold: 0,
    },
    budgetRefused: [],
    sent: 0,
    received: 0,
    limits: [],
    warnings: [],
    journalFull: false,
  }
}

/** Takes one event into the state (changed in place: there may be many). */
export function fold(state: SessionState, event: SessionEvent): void {
  if (event.kind.startsWith('network.')) return foldNetwork(state, event)
  if (event.kind === 'session.started') state.started = event
  else if (event.kind === 'files.protected') state.protectedCount += event.count
  else if (event.kind === 'git.merged') add(state.merged, event)
  else if (event.kind === 'git.held') add(state.held, event)
  else if (event.kind === 'wall.proven') state.proven = event
  else if (event.kind === 'review.opened') state.review = event
  else if (event.kind === 'review.ended') state.reviewed = event
  else if (event.kind === 'secret.used') foldSecret(state, event)
  else if (event.kind === 'secret.echoed') add(state.echoed, event)
  else if (event.kind === 'secret.scanned') state.scanned = event
  else if (event.kind === 'model.usage') foldModel(state.models, event)
  else if (event.kind === 'budget.refused') add(state.budgetRefused, event.reason)
  else if (event.kind === 'budget.state') state.budget = event.rows
  else if (event.kind === 'limits') state.limits = event.rows
  else if (event.kind === 'warning') add(state.warnings, event)
  else if (event.kind === 'journal.full') state.journalFull = true
  else if (event.kind === 'session.ended') state.end = event
  else if (event.kind === 'files.hidden') {
    state.hidden += event.paths.length
    for (const path of event.paths.slice(0, listLimit)) add(state.hiddenPaths, path)
  } else if (event.kind === 'file.quarantined') {
    state.quarantinedCount += 1
    add(state.quarantined, event)
  }
}

function foldNetwork(state: SessionState, event: SessionEvent): void {
  if (event.kind === 'network.closed') addTraffic(state, event)
  else if (event.kind === 'network.repeated') {
    addTraffic(state, event)
    foldRepeated(state, event)
  } else if (event.kind === 'network.refused') {
    foldRefused(state, event)
  } else if (event.kind === 'network.failed')
    count(state.failed, keyOf(event), { host: event.host, port: event.port, reason: event.reason, count: 0 })
  else if (event.kind === 'network.allowed') count(state.allowed, keyOf(event), { host: event.host, port: event.port, count: 0 })
}

function foldSecret(state: SessionState, { name, host, count }: Of<'secret.used'>): void {
  const row = state.secrets.get(name) ?? { count: 0, hosts: new Set() }
  row.count += count
  if (row.hosts.size < listLimit) row.hosts.add(host)
  state.secrets.set(name, row)
}

function foldModel(models: ModelTotals, event: Of<'model.usage'>): void {
  models.requests += 1
  models.input += event.inputTokens
  models.output += event.outputTokens
  models.cacheWrite5m += event.cacheWrite5mTokens
  models.cacheWrite1h += event.cacheWrite1hTokens
  models.cacheRead += event.cacheReadTokens
  models.webSearches += event.webSearches
  models.usd += event.usd ?? 0
  if (event.counted !== 'told') models.untold += 1
  if (event.unpriced === true)
    models.unpriced += event.inputTokens + event.outputTokens + event.cacheWrite5mTokens + event.cacheWrite1hTokens + event.cacheReadTokens
}

function foldRepeated(state: SessionState, event: Of<'network.repeated'>): void {
  const rows = {
    'network.refused': () => reasonsOf(state, event).find(({ code }) => event.code === undefined || code === event.code),
    'network.failed': () => state.failed.get(keyOf(event)),
    'network.allowed': () => state.allowed.get(keyOf(event)),
    'network.closed': () => undefined,
  }
  const row = rows[event.of]()
  if (row !== undefined) row.count += event.count
  else if (event.of === 'network.refused') state.refusedElse += event.count
}

/** A cell can ask for a new path each time: reasons are as many as it likes. */
function foldRefused(state: SessionState, { host, port, code, reason, remedy }: Of<'network.refused'>): void {
  const key = `${keyOf({ host, port })} ${code} ${reason}`
  const isFull = !state.refused.has(key) && reasonsOf(state, { host, port }).length >= mostReasons
  const fresh = { host, port, code, reason, ...(remedy === undefined ? {} : { remedy }), count: 0 }
  if (isFull || !count(state.refused, key, fresh)) state.refusedElse += 1
}

function reasonsOf(state: SessionState, at: { readonly host: string; readonly port: number }): readonly RefusedHost[] {
  return [...state.refused.values()].filter(({ host, port }) => host === at.host && port === at.port)
}

function keyOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`
}

function addTraffic(state: SessionState, event: { readonly sent: number; readonly received: number }): void {
  state.sent += event.sent
  state.received += event.received
}

function count<T extends { count: number }>(table: Map<string, T>, key: string, fresh: T): boolean {
  const row = table.get(key) ?? (table.size < listLimit ? fresh : undefined)
  if (row === undefined) return false
  row.count += 1
  table.set(key, row)
  return true
}

function add<T>(list: T[], item: T): void {
  if (list.length < listLimit) list.push(item)
}
