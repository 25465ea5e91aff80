// `anchorhold statusline`: one line for Claude Code's status line, which hands over its state as JSON on standard input. Never fails because of
// what it is handed: a line with less on it is better than none.
import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { Command } from 'commander'
import { groupBy } from '../cost/group.ts'
import { object, parseObject, text, type Json } from '../cost/json.ts'
import { readMoment } from '../cost/period.ts'
import { hitRate } from '../cost/tally.ts'
import { dollarsText, percent, usd } from '../report/cost/figures.ts'
import { printLines } from '../report/output.ts'
import type { CostReport } from '../report/cost/report.ts'
import { plain } from '../report/text.ts'
import { duration } from '../report/units.ts'
import { gather, type CostFlags } from './cost-gather.ts'

/** Adds `statusline` to the program, or to `cost`. */
export function register(program: Command): void {
  program
    .command('statusline')
    .summary("one line of costs for Claude Code's status line")
    .description("Prints the cost of this session, of today and of the current block of five hours, for Claude Code's status line.")
    .option('--time-zone <zone>', 'time zone of today')
    .option('--prices <file>', 'prices of your own (YAML or JSON)')
    .option('--no-index', 'read every log anew, and keep nothing for the next time')
    .addHelpText('after', '\nIn ~/.claude/settings.json:\n  "statusLine": { "type": "command", "command": "anchorhold statusline" }\n')
    .action((flags: CostFlags) => perform(flags))
}

async function perform(flags: CostFlags): Promise<void> {
  const state = parseObject(isatty(0) ? '{}' : readFileSync(0, 'utf8')) ?? {}
  const { report } = await gather(flags, 'block')
  printLines([[...sessionParts(state, report), ...timeParts(report)].join(' · ')])
}

function sessionParts(state: Json, report: CostReport): readonly string[] {
  const model = object(state['model'])
  const name = text(model?.['display_name']) ?? text(model?.['id'])
  const id = text(state['session_id'])
  const session = id === undefined ? -1 : report.logs.sessions.indexOf(id)
  const parts = name === undefined ? [] : [plain(name, { max: 30 })]
  if (id === undefined) return parts
  const own = groupBy('session', report.logs, report.requests, report.priceOf, { session })
  const { all } = own.total
  parts.push(`${usd(all.money)} session${all.unpriced > 0 ? ' (part unpriced)' : ''}`)
  const reported = object(state['cost'])?.['total_cost_usd']
  if (typeof reported === 'number' && Math.abs(reported - all.money / 1e10) >= 0.005) parts.push(`${dollarsText(reported)} reported`)
  const context = contextShare(state)
  if (context !== undefined) parts.push(`context ${percent(context)}`)
  const rate = hitRate(all)
  if (rate !== undefined) parts.push(`cache ${percent(rate)}`)
  return parts
}

function contextShare(state: Json): number | undefined {
  const context = object(state['context_window'])
  const used = context?.['used_percentage']
  return typeof used === 'number' && used >= 0 && used <= 100 ? used / 100 : undefined
}

function timeParts(report: CostReport): readonly string[] {
  const { logs, requests, priceOf, now } = report
  const today = groupBy('day', logs, requests, priceOf, { since: readMoment('today', now, false) }).total.all
  const parts = [`${usd(today.money)} today`]
  const block = report.grouped.groups.at(-1)
  const burn = block === undefined ? undefined : report.burn(block)
  if (block === undefined || burn?.active !== true) return parts
  return [...parts, `${usd(block.all.money)} block, ${dollarsText(burn.usdPerHour)}/h, ${duration(Date.parse(burn.endAt) - now)} left`]
}
