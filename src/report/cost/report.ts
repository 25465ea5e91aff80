// What a view of costs is made of, before it becomes a table, JSON or CSV.
import { blockLength } from '../../cost/blocks.ts'
import type { Requests } from '../../cost/dedupe.ts'
import type { Filter, Group, Grouped, View } from '../../cost/group.ts'
import type { Logs } from '../../cost/logs.ts'
import type { PriceOf } from '../../cost/priced.ts'
import type { PricesInUse } from '../../cost/prices-in-use.ts'
import { reportedTotals } from '../../cost/projects.ts'
import { tokensOf } from '../../cost/tally.ts'
import { dollars } from '../../usage/price.ts'

export interface Reported {
  readonly dollars: number
  readonly sessions: number
  /** What we compute for the same sessions. */
  readonly computed: number
}

export interface Damaged {
  readonly path: string
  readonly line: number
  readonly reason: string
}

/** What the wall metered of a session, beside what its log has: `difference` is metered less logged. */
export interface Reconciled {
  readonly requests: number
  readonly totalTokens: number
  readonly usd: number
  readonly differenceTokens: number
  readonly differenceUsd: number
}

export interface CostReport {
  readonly view: View
  readonly logs: Logs
  readonly requests: Requests
  readonly grouped: Grouped
  readonly filter: Filter
  readonly prices: PricesInUse
  readonly priceOf: PriceOf
  readonly timeZone: string
  readonly now: number
  /** By session, where the gateway read its requests. */
  readonly metered?: ReadonlyMap<string, { readonly requests: number; readonly tokens: number; readonly money: number }>
  readonly damaged: readonly Damaged[]
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
  readonly unpriced: readonly { readonly model: string; readonly tokens: number }[]
  /** The agent's own total of a group's sessions; undefined where it named none, or where the group holds only parts of sessions. */
  readonly reported: (group: Group) => Reported | undefined
  readonly burn: (group: Group) => Burn
}

/** How fast a block of five hours is used up. */
export interface Burn {
  readonly startAt: string
  readonly endAt: string
  readonly active: boolean
  /** Between the first and the last request; in the active block up to now. */
  readonly minutes: number
  readonly tokensPerMinute: number
  readonly usdPerHour: number
  /** At this rate to its end; the block's own where it is over. */
  readonly projectedUsd: number
}

export function makeReport(given: Omit<CostReport, 'damaged' | 'unreadable' | 'unpriced' | 'reported' | 'burn'>): CostReport {
  const { logs, grouped, view, filter } = given
  const wholeSessions =
    filter.since === undefined && filter.until === undefined && filter.model === undefined && (view === 'session' || view === 'project')
  const totals = wholeSessions ? reportedTotals(logs) : new Map<number, number>()
  const computed = new Map<number, number>()
  if (view === 'session') {
    for (const group of grouped.groups) for (const session of group.sessions) computed.set(session, group.all.money)
  } else if (wholeSessions) sumBySession(given, computed)
  return {
    ...given,
    damaged: logs.files.flatMap(({ path, damage, loose }) => [...damage, ...loose].map(({ line, reason }) => ({ path, line, reason }))),
    unreadable: [
      ...logs.troubles,
      ...logs.files.flatMap(({ path, trouble }) => (trouble === undefined ? [] : [{ path, reason: trouble }])),
    ],
    unpriced: [...grouped.total.models].flatMap(([model, { unpriced }]) => (unpriced === 0 ? [] : [{ model, tokens: unpriced }])),
    reported: (group) => reportedOf(group, totals, computed),
    burn: (group) => burnOf(group, given.now),
  }
}

/** Undefined where the wall read nothing of it, or where a group is no whole session. */
export function reconcile({ metered, view, filter, logs }: CostReport, group: Group): Reconciled | undefined {
  const whole = filter.since === undefined && filter.until === undefined && filter.model === undefined && group.sessions.size === 1
  const [session] = group.sessions
  const found = whole && view === 'session' && session !== undefined ? metered?.get(logs.sessions[session] ?? '') : undefined
  if (found === undefined) return undefined
  return {
    requests: found.requests,
    totalTokens: found.tokens,
    usd: dollars(found.money),
    differenceTokens: found.tokens - tokensOf(group.all),
    differenceUsd: dollars(found.money - group.all.money),
  }
}

function sumBySession({ requests, priceOf }: Pick<CostReport, 'requests' | 'priceOf'>, sums: Map<number, number>): void {
  for (let at = 0; at < requests.length; at++) {
    const session = requests.session[at] as number
    const cost = priceOf(requests.record[at] as number, requests.time[at] as number)
    sums.set(session, (sums.get(session) ?? 0) + (cost?.total ?? 0))
  }
}

function reportedOf(group: Group, totals: ReadonlyMap<number, number>, computed: ReadonlyMap<number, number>): Reported | undefined {
  let [sum, sessions, own] = [0, 0, 0]
  for (const session of group.sessions) {
    const total = totals.get(session)
    if (total === undefined) continue
    sum += total
    own += computed.get(session) ?? 0
    sessions++
  }
  return sessions === 0 ? undefined : { dollars: sum, sessions, computed: dollars(own) }
}

function burnOf(group: Group, now: number): Burn {
  const start = Date.parse(group.key)
  const end = start + blockLength
  const active = now >= start && now < end
  const minutes = Math.max(1, ((active ? now : group.last) - group.first) / 60_000)
  const usd = dollars(group.all.money)
  return {
    startAt: new Date(start).toISOString(),
    endAt: new Date(end).toISOString(),
    active,
    minutes: Math.round(minutes),
    tokensPerMinute: Math.round(tokensOf(group.all) / minutes),
    usdPerHour: (usd / minutes) * 60,
    projectedUsd: active ? usd + (usd / minutes) * ((end - now) / 60_000) : usd,
  }
}
