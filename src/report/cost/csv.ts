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

/** Lines without line feeds, the head first. */
export function csvLines(report: CostReport): readonly string[] {
  const head = [
    report.view,
    'project',
    'firstAt',
    'lastAt',
    'model',
    ...counts,
    'usd',
    ...classes.map((name) => `usd_${name}`),
    'unpricedTokens',
    'uncachedUsd',
  ]
  const rows = report.grouped.groups.flatMap((group) =>
    [...group.models].map(([model, tally]) => {
      const totals = totalsJson(tally)
      const place = [group.key, group.project ?? '', new Date(group.first).toISOString(), new Date(group.last).toISOString(), model]
      return [
        ...place,
        ...counts.map((name) => totals[name]),
        totals.usd,
        ...classes.map((name) => totals.usdByClass[name]),
        totals.unpricedTokens,
        totals.uncachedUsd,
      ]
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
