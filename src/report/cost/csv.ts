// The report phase of `anchorhold cost --csv`: a line for each model of each row, RFC 4180. Sums of the lines are the totals.
import type { CostReport } from './report.ts'
import { totalsJson } from './json.ts'
import { plain } from '../text.ts'

const counts = [
  'requests',
  'inputTokens',
  'outputTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'cacheReadTokens',
  'webSearches',
] as const
const classes = ['input', 'output', 'cacheWrite5m', 'cacheWrite1h', 'cacheRead', 'webSearch'] as const

const figures: readonly string[] = [...counts, 'usd', ...classes.map((name) => `usd_${name}`), 'unpricedTokens', 'uncachedUsd']

/** Lines without line feeds, the head first. */
export function csvLines(report: CostReport): readonly string[] {
  const { view, grouped } = report
  const head = [view, ...(view === 'project' ? [] : ['project']), 'firstAt', 'lastAt', ...(view === 'model' ? [] : ['model']), ...figures]
  const rows = grouped.groups.flatMap((group) =>
    [...group.models].map(([model, tally]) => {
      const totals = totalsJson(tally)
      const place = [
        group.key,
        ...(view === 'project' ? [] : [group.project ?? '']),
        new Date(group.first).toISOString(),
        new Date(group.last).toISOString(),
        ...(view === 'model' ? [] : [model]),
      ]
      const money = [totals.usd, ...classes.map((name) => totals.usdByClass[name])]
      return [...place, ...counts.map((name) => totals[name]), ...money, totals.unpricedTokens, totals.uncachedUsd]
    }),
  )
  return [head, ...rows].map((row) => row.map(cell).join(','))
}

/** A spreadsheet would take text that begins so for a formula. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const text = plain(/^[=+\-@]/.test(value) ? `'${value}` : value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
