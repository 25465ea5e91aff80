// The report phase of `anchorhold cost` on a terminal: a line for each group, one for each of its models, the total, and what the total lacks.
import path from 'node:path'
import type { Group, View } from '../../cost/group.ts'
import { moment } from '../../cost/period.ts'
import { hitRate, tokensOf, type Tally } from '../../cost/tally.ts'
import { modelId } from '../../usage/model-id.ts'
import type { Style } from '../style.ts'
import { plain } from '../text.ts'
import { counted, duration, listed } from '../units.ts'
import { renderColumns, type CostColumn } from './columns.ts'
import { bar, dollarsText, percent, sparkline, tokens, usd } from './figures.ts'
import { reconcile, type CostReport } from './report.ts'

interface Line {
  readonly name: string
  readonly group: Group | undefined
  readonly model: string
  readonly tally: Tally
  readonly kind: 'group' | 'model' | 'total'
}

const barWidth = 10

/** Lines without line feeds. */
export function tableLines(report: CostReport, style: Style): readonly string[] {
  const { grouped, view } = report
  if (grouped.groups.length === 0) return [nothing(report), ...remarks(report, style)]
  const lines = [...grouped.groups.flatMap((group) => linesOf(group, view)), totalLine(grouped.total)]
  const rendered = renderColumns(columnsOf(report), lines, style)
  const total = rendered.at(-1) ?? ''
  return [...rendered.slice(0, -1), style.bold(total), ...remarks(report, style)]
}

function nothing({ logs, filter }: CostReport): string {
  if (logs.files.length === 0)
    return 'No session logs were found (looked into ~/.claude, ~/.config/claude, CLAUDE_CONFIG_DIR, ~/.codex and the homes of cells).'
  return Object.values(filter).some((value) => value !== undefined)
    ? 'Nothing was used that these filters let through.'
    : 'The logs hold no usage.'
}

function linesOf(group: Group, view: View): readonly Line[] {
  const [only] = group.models.keys()
  const several = group.models.size > 1
  const model = view === 'model' ? '' : several ? `${group.models.size} models` : shortModel(only ?? '')
  const own: Line = { name: nameOf(group, view), group, model, tally: group.all, kind: 'group' }
  if (!several || view === 'model') return [own]
  return [
    own,
    ...[...group.models].map(([name, tally]): Line => ({
      name: '',
      group: undefined,
      model: ` ${shortModel(name)}`,
      tally,
      kind: 'model',
    })),
  ]
}

/** Without what all have in common; JSON and CSV have the id as it was logged. */
function shortModel(model: string): string {
  return modelId(model).replace(/^claude-/, '')
}

function totalLine(total: Group): Line {
  return { name: 'total', group: total, model: '', tally: total.all, kind: 'total' }
}

function nameOf(group: Group, view: View): string {
  if (view === 'session') return group.key.slice(0, 8)
  if (view === 'block') return moment(Date.parse(group.key))
  return group.key === '' ? '(unknown)' : group.key
}

function columnsOf(report: CostReport): readonly CostColumn<Line>[] {
  const { view, grouped } = report
  const most = grouped.groups.reduce((sum, { all }) => Math.max(sum, all.money), 0)
  const count = (title: string, leave: number, of: (tally: Tally) => number): CostColumn<Line> => ({
    title,
    right: true,
    leave,
    cell: ({ tally }) => tokens(of(tally)),
  })
  const ofGroup = (cell: (group: Group) => string) => (line: Line) =>
    line.group === undefined || line.kind === 'total' ? '' : cell(line.group)
  return [
    { title: view.toUpperCase(), leave: 0, least: 10, cell: ({ name }) => name },
    { title: 'PROJECT', leave: 6, least: 8, cell: ofGroup((group) => (view === 'session' ? path.basename(group.project ?? '') : '')) },
    { title: 'LAST', leave: 7, least: 16, cell: ofGroup((group) => (view === 'session' ? moment(group.last) : '')) },
    { title: 'MODEL', leave: 3, least: 10, cell: ({ model }) => model },
    { title: 'REQ', right: true, leave: 9, cell: ({ tally }) => String(tally.requests) },
    count('INPUT', 5, ({ input }) => input),
    count('OUTPUT', 1, ({ output }) => output),
    count('WRITE 5M', 4, ({ write5m }) => write5m),
    count('WRITE 1H', 4, ({ write1h }) => write1h),
    count('READ', 2, ({ read }) => read),
    { title: 'WEB', right: true, leave: 15, cell: ({ tally }) => (tally.searches === 0 ? '' : String(tally.searches)) },
    { title: 'HIT', right: true, leave: 2, cell: ({ tally }) => percent(hitRate(tally)) },
    { title: 'SUB', right: true, leave: 8, cell: ({ group }) => (group === undefined ? '' : subagentShare(group)) },
    { title: 'UNCACHED', right: true, leave: 11, cell: ({ tally }) => usd(tally.uncached) },
    { title: 'REPORTED', right: true, leave: 10, cell: ({ group }) => (group === undefined ? '' : reportedText(report, group)) },
    {
      title: 'BURN',
      right: true,
      leave: 5,
      cell: ofGroup((group) => (view === 'block' ? `${dollarsText(report.burn(group).usdPerHour)}/h` : '')),
    },
    { title: 'USD', right: true, leave: 0, cell: ({ tally }) => moneyText(tally) },
    { title: '', leave: 12, least: barWidth, cell: ({ tally, kind }) => (kind === 'group' ? bar(tally.money, most, barWidth) : '') },
  ]
}

/** With what has no price: a total that lacks something says so itself. */
function moneyText(tally: Tally): string {
  if (tally.unpriced === 0) return usd(tally.money)
  const lacking = `${tokens(tally.unpriced)} unpriced`
  return tally.money === 0 ? lacking : `${usd(tally.money)} + ${lacking}`
}

function subagentShare({ subagents, all }: Group): string {
  if (subagents.requests === 0) return ''
  return percent(all.money > 0 ? subagents.money / all.money : tokensOf(subagents) / tokensOf(all))
}

function reportedText(report: CostReport, group: Group): string {
  const reported = report.reported(group)
  return reported === undefined ? '' : dollarsText(reported.dollars)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function remarks(report: CostReport, style: Style): readonly string[] {
  const { grouped, view, prices, damaged, unreadable, unpriced } = report
  const { all } = grouped.total
  const found: string[] = []
  if (grouped.groups.length > 1 && ['day', 'week', 'month', 'block'].includes(view))
    found.push(
      `by ${view}: ${sparkline(
        grouped.groups.map((group) => group.all.money),
        Math.max(8, style.width - view.length - 6),
      )}`,
    )
  const current = grouped.groups.at(-1)
  if (view === 'block' && current !== undefined) found.push(...blockRemark(report, current))
  if (all.uncached > all.money)
    found.push(style.dim(`the cache saved ${usd(all.uncached - all.money)}: uncached it would have been ${usd(all.uncached)}`))
  const reported = report.reported(grouped.total)
  if (reported !== undefined)
    found.push(
      style.dim(
        `reported by the agent itself for ${counted(reported.sessions, 'session')}: ${dollarsText(reported.dollars)}; computed here for the same: ${dollarsText(reported.computed)}`,
      ),
    )
  const walls = grouped.groups.flatMap((group) => reconcile(report, group) ?? [])
  if (walls.length > 0) {
    const [there, difference] = [sumOf(walls.map((wall) => wall.usd)), sumOf(walls.map((wall) => wall.differenceUsd))]
    found.push(
      style.dim(
        `metered at the wall for ${counted(walls.length, 'session')}: ${dollarsText(there)}; in their logs: ${dollarsText(there - difference)} (each: --session ID)`,
      ),
    )
  }
  for (const { model, tokens: lacking } of unpriced)
    found.push(style.warn(`unpriced: ${plain(model)}, ${tokens(lacking)} tokens (not in the total)`))
  if (damaged.length > 0) {
    const names = damaged.map(({ path: file, line, reason }) => `${plain(file)}:${line} (${plain(reason)})`)
    found.push(
      style.warn(`${counted(damaged.length, 'damaged line')}: ${listed(names, 3)}${names.length > 3 ? '; all of them: --json' : ''}`),
    )
  }
  for (const { path: file, reason } of unreadable) found.push(style.bad(`could not be read: ${plain(file)} (${plain(reason)})`))
  const zone = ['day', 'week', 'month', 'block'].includes(view) ? `; days of ${report.timeZone}` : ''
  found.push(
    style.dim(`list prices as of ${prices.asOf}${prices.file === undefined ? '' : `, and yours from ${plain(prices.file)}`}${zone}`),
  )
  return found
}

function blockRemark(report: CostReport, group: Group): readonly string[] {
  const burn = report.burn(group)
  if (!burn.active) return []
  const left = duration(Date.parse(burn.endAt) - report.now)
  return [
    `this block ends in ${left}: ${tokens(burn.tokensPerMinute)} tokens a minute, ${dollarsText(burn.usdPerHour)} an hour; ${dollarsText(burn.projectedUsd)} at its end at this rate`,
  ]
}
