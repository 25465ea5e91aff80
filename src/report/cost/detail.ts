// The report phase of `anchorhold cost --session ID`: the session's sums, then a line for each request.
import { costOfBreaks, type CacheBreak, type Step } from '../../cost/detail.ts'
import type { Group } from '../../cost/group.ts'
import { moment } from '../../cost/period.ts'
import { dollars } from '../../usage/price.ts'
import type { Style } from '../style.ts'
import { plain } from '../text.ts'
import { counted, duration } from '../units.ts'
import { renderColumns, type CostColumn } from './columns.ts'
import { dollarsText, percent, sparkline, tokens, usd } from './figures.ts'
import { headJson, totalsJson } from './json.ts'
import { reconcile, type CostReport } from './report.ts'
import { tableLines } from './table.ts'

/** Lines without line feeds. */
export function detailLines(report: CostReport, group: Group | undefined, steps: readonly Step[], style: Style): readonly string[] {
  if (group === undefined) return tableLines(report, style)
  const title = [`session ${group.key}`, group.project, `${moment(group.first)} to ${moment(group.last)}`].filter(
    (part) => part !== undefined,
  )
  const main = steps.filter(({ subagent }) => !subagent)
  const broken = steps.filter(({ broke }) => broke !== undefined)
  return [
    style.bold(plain(title.join(', '))),
    ...renderColumns(
      columns,
      steps.map((step, at) => ({ step, at })),
      style,
    ),
    '',
    `context: ${sparkline(
      main.map(({ context }) => context),
      Math.max(8, style.width - 30),
    )} up to ${tokens(Math.max(0, ...main.map(({ context }) => context)))} tokens`,
    ...toolLines(steps),
    broken.length === 0
      ? 'the cache held from request to request'
      : style.warn(
          `${counted(broken.length, 'request')} broke the cache: ${tokens(sum(broken))} tokens sent again, ${usd(costOfBreaks(steps))}`,
        ),
    ...meteredLines(report, group),
    '',
    ...tableLines(report, style),
  ]
}

/** The second opinion of the wall. */
function meteredLines(report: CostReport, group: Group): readonly string[] {
  const found = reconcile(report, group)
  if (found === undefined) return []
  const { requests, totalTokens, differenceTokens, differenceUsd } = found
  const signed = (text: string, value: number): string => (value === 0 ? 'none' : `${value < 0 ? '-' : '+'}${text}`)
  const difference =
    differenceTokens === 0 && differenceUsd === 0
      ? 'the same as in the log'
      : `difference to the log: ${signed(`${tokens(Math.abs(differenceTokens))} tokens`, differenceTokens)}, ${signed(dollarsText(Math.abs(differenceUsd)), differenceUsd)}`
  return [`metered at the wall: ${counted(requests, 'request')}, ${tokens(totalTokens)} tokens, ${dollarsText(found.usd)}; ${difference}`]
}

function sum(steps: readonly Step[]): number {
  return steps.reduce((total, { broke }) => total + (broke?.lost ?? 0), 0)
}

interface Row {
  readonly step: Step
  readonly at: number
}

const columns: readonly CostColumn<Row>[] = [
  { title: '#', right: true, leave: 0, cell: ({ at }) => String(at + 1) },
  { title: 'TURN', right: true, leave: 5, cell: ({ step }) => String(step.turn) },
  { title: 'TIME', leave: 4, least: 16, cell: ({ step }) => moment(step.time) },
  { title: 'MODEL', leave: 6, least: 12, cell: ({ step }) => `${step.subagent ? ' ' : ''}${step.model}${step.fast ? ' fast' : ''}` },
  { title: 'CONTEXT', right: true, leave: 0, cell: ({ step }) => tokens(step.context) },
  { title: 'GROWTH', right: true, leave: 3, cell: ({ step }) => `${step.growth < 0 ? '-' : '+'}${tokens(Math.abs(step.growth))}` },
  { title: 'INPUT', right: true, leave: 8, cell: ({ step }) => tokens(step.input) },
  { title: 'OUTPUT', right: true, leave: 1, cell: ({ step }) => tokens(step.output) },
  { title: 'WRITE 5M', right: true, leave: 9, cell: ({ step }) => tokens(step.write5m) },
  { title: 'WRITE 1H', right: true, leave: 9, cell: ({ step }) => tokens(step.write1h) },
  { title: 'READ', right: true, leave: 7, cell: ({ step }) => tokens(step.read) },
  { title: 'HIT', right: true, leave: 2, cell: ({ step }) => percent(step.context === 0 ? undefined : step.read / step.context) },
  { title: 'USD', right: true, leave: 0, cell: ({ step }) => (step.cost === undefined ? 'unpriced' : usd(step.cost.total)) },
  { title: 'CACHE', leave: 2, cell: ({ step }) => (step.broke === undefined ? '' : breakText(step.broke)) },
  { title: 'TOOLS', leave: 3, least: 8, cell: ({ step }) => step.tools.join(' ') },
]

function breakText({ lost, why, idle }: CacheBreak): string {
  return `broke: ${why}${why === 'expired' ? ` after ${duration(idle)}` : ''}, ${tokens(lost)}`
}

function toolLines(steps: readonly Step[]): readonly string[] {
  const counts = toolCounts(steps)
  return counts.length === 0 ? [] : [`tools: ${counts.map(({ tool, calls }) => `${plain(tool)} ${calls}`).join(', ')}`]
}

function toolCounts(steps: readonly Step[]): readonly { readonly tool: string; readonly calls: number }[] {
  const counts = new Map<string, number>()
  for (const { tools } of steps) for (const tool of tools) counts.set(tool, (counts.get(tool) ?? 0) + 1)
  return [...counts].map(([tool, calls]) => ({ tool, calls })).sort((a, b) => b.calls - a.calls || (a.tool < b.tool ? -1 : 1))
}

export function detailJson(
  report: CostReport,
  group: Group | undefined,
  id: string,
  steps: readonly Step[],
): Readonly<Record<string, unknown>> {
  const { total } = report.grouped
  const reported = group === undefined ? undefined : report.reported(group)
  return {
    ...headJson(report),
    by: 'request',
    session: id,
    project: group?.project ?? null,
    totals: {
      ...totalsJson(total.all),
      subagents: { requests: total.subagents.requests, usd: dollars(total.subagents.money) },
      metered: group === undefined ? null : (reconcile(report, group) ?? null),
      reported: reported === undefined ? null : { usd: reported.dollars, differenceUsd: reported.dollars - reported.computed },
    },
    models: [...total.models].map(([model, tally]) => ({ model, priced: tally.unpriced === 0, ...totalsJson(tally) })),
    tools: toolCounts(steps),
    cacheBreaks: { requests: steps.filter(({ broke }) => broke !== undefined).length, usd: dollars(costOfBreaks(steps)) },
    rows: steps.map(stepJson),
  }
}

function stepJson(step: Step): Readonly<Record<string, unknown>> {
  const { cost, broke } = step
  return {
    at: new Date(step.time).toISOString(),
    turn: step.turn,
    model: step.model,
    subagent: step.subagent,
    fast: step.fast,
    inputTokens: step.input,
    outputTokens: step.output,
    cacheWrite5mTokens: step.write5m,
    cacheWrite1hTokens: step.write1h,
    cacheReadTokens: step.read,
    contextTokens: step.context,
    contextGrowth: step.growth,
    usd: cost === undefined ? null : dollars(cost.total),
    tools: step.tools,
    cacheBreak: broke === undefined ? null : { lostTokens: broke.lost, why: broke.why, idleSeconds: Math.round(broke.idle / 1000) },
  }
}
