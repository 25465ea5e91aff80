// The report phase of `anchorhold cost --json`: schema `anchorhold.cost/1`, in docs/cost.md. Names and meanings stay; new keys may come.
import { hitRate, tokensOf, type Tally } from '../../cost/tally.ts'
import type { Group } from '../../cost/group.ts'
import type { View } from '../../cost/group.ts'
import { reconcile, type CostReport } from './report.ts'
import { dollars } from '../../usage/price.ts'

export const schema = 'anchorhold.cost/1'

/** Counts and dollars of a group, a model or the total. */
export interface TotalsJson {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheWrite5mTokens: number
  readonly cacheWrite1hTokens: number
  readonly cacheReadTokens: number
  readonly totalTokens: number
  readonly webSearches: number
  readonly usd: number
  readonly usdByClass: Readonly<Record<'input' | 'output' | 'cacheWrite5m' | 'cacheWrite1h' | 'cacheRead' | 'webSearch', number>>
  readonly unpricedTokens: number
  readonly cacheHitRate: number | null
  readonly uncachedUsd: number
}

export function totalsJson(tally: Tally): TotalsJson {
  const rate = hitRate(tally)
  return {
    requests: tally.requests,
    inputTokens: tally.input,
    outputTokens: tally.output,
    cacheWrite5mTokens: tally.write5m,
    cacheWrite1hTokens: tally.write1h,
    cacheReadTokens: tally.read,
    totalTokens: tokensOf(tally),
    webSearches: tally.searches,
    usd: dollars(tally.money),
    usdByClass: {
      input: dollars(tally.moneyInput),
      output: dollars(tally.moneyOutput),
      cacheWrite5m: dollars(tally.moneyWrite5m),
      cacheWrite1h: dollars(tally.moneyWrite1h),
      cacheRead: dollars(tally.moneyRead),
      webSearch: dollars(tally.moneySearch),
    },
    unpricedTokens: tally.unpriced,
    cacheHitRate: rate === undefined ? null : Number(rate.toFixed(6)),
    uncachedUsd: dollars(tally.uncached),
  }
}

/** What every view has beside its rows. */
export function headJson(report: CostReport): Readonly<Record<string, unknown>> {
  const { prices, filter } = report
  const day = (time: number | undefined): string | null => (time === undefined ? null : new Date(time).toISOString())
  return {
    schema,
    timeZone: report.timeZone,
    since: day(filter.since),
    until: day(filter.until),
    prices: { asOf: prices.asOf, hash: prices.hash(), file: prices.file ?? null },
    folders: report.logs.roots,
    files: report.logs.files.length,
    damagedLines: report.damaged.length,
    damaged: report.damaged.map(({ path, line, reason }) => ({ file: path, line, reason })),
    unreadable: report.unreadable.map(({ path, reason }) => ({ file: path, reason })),
    unpriced: report.unpriced.map(({ model, tokens }) => ({ model, tokens })),
  }
}

/** For `JSON.stringify`. */
export function viewJson(report: CostReport): Readonly<Record<string, unknown>> {
  const { view, grouped } = report
  return {
    ...headJson(report),
    by: view,
    totals: { ...totalsJson(grouped.total.all), sessions: grouped.total.sessions.size, ...extras(report, grouped.total) },
    // Each row is made where it is written: thousands of them at once would keep the garbage collector busy.
    rows: grouped.groups.map((group) => ({ toJSON: () => rowJson(report, view, group) })),
  }
}

function rowJson(report: CostReport, view: View, group: Group): Readonly<Record<string, unknown>> {
  return {
    [view]: group.key,
    ...(view === 'session' ? { project: group.project ?? null } : { sessions: group.sessions.size }),
    ...(view === 'block' ? report.burn(group) : {}),
    firstAt: new Date(group.first).toISOString(),
    lastAt: new Date(group.last).toISOString(),
    ...totalsJson(group.all),
    ...extras(report, group),
    ...(view === 'session' ? { metered: reconcile(report, group) ?? null } : {}),
    models: [...group.models].map(([model, tally]) => ({ model, priced: tally.unpriced === 0, ...totalsJson(tally) })),
  }
}

function extras(report: CostReport, group: Group): Readonly<Record<string, unknown>> {
  const { subagents, all } = group
  const tokens = tokensOf(subagents)
  const share = all.money > 0 ? subagents.money / all.money : tokensOf(all) > 0 ? tokens / tokensOf(all) : 0
  const reported = report.reported(group)
  return {
    subagents: { requests: subagents.requests, tokens, usd: dollars(subagents.money), share: Number(share.toFixed(6)) },
    reported:
      reported === undefined
        ? null
        : {
            usd: reported.dollars,
            sessions: reported.sessions,
            computedUsd: reported.computed,
            differenceUsd: reported.dollars - reported.computed,
          },
  }
}
