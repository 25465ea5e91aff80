// `anchorhold cost`: what sessions cost, from the agents' own logs. Reads only, and knows no network.
import { Option, type Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import { stepsOf } from '../cost/detail.ts'
import { views, type View } from '../cost/group.ts'
import { jsonLine } from '../report/json-line.ts'
import { print, printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { csvLines } from '../report/cost/csv.ts'
import { detailJson, detailLines } from '../report/cost/detail.ts'
import { tokens } from '../report/cost/figures.ts'
import { viewJson } from '../report/cost/json.ts'
import type { CostReport } from '../report/cost/report.ts'
import { tableLines } from '../report/cost/table.ts'
import { gather, type CostFlags } from './cost-gather.ts'
import { register as registerStatusline } from './statusline.ts'

interface Flags extends CostFlags {
  readonly json?: boolean
  readonly csv?: boolean
  readonly watch?: string | true
  readonly strict?: boolean
  readonly blocks?: boolean
}

const more = `
Views: session (the newest last), day, week (ISO 8601), month, model, project, block (five hours, with its burn rate).
--session ID (the beginning of an id will do) shows that session request by request: its context, its tools, and what broke the cache.

Times: a day (2026-11-23), a time (2026-11-23T16:00), today, yesterday, or how long ago (90m, 24h, 7d, 2w). --until with a day means to its end.
Days are those of this machine's time zone; TZ or --time-zone names another.
--project: a folder with all below it, a folder's name, or a pattern with *. --model: an exact id, or a pattern with *.

Read are the logs of Claude Code (~/.claude, ~/.config/claude or CLAUDE_CONFIG_DIR), of Codex (~/.codex or CODEX_HOME), and of every cell's home.
Dollars are list prices, which come with anchorhold; prices.yaml beside your policy, or --prices, adds or replaces some.

  anchorhold cost --since 7d --by day
  anchorhold cost --by model --json | jq .totals.usd
  anchorhold cost --session 3f2a
`

/** Adds `cost` to the program. */
export function register(program: Command): void {
  const command = program
    .command('cost')
    .summary("show what sessions cost, from the agents' logs")
    .description('Shows tokens and dollars of sessions by class and model, from the logs that agents keep. Reads only; needs no network.')
    .addOption(new Option('--by <view>', 'what to put together').choices([...views]))
    .option('--blocks', 'the same as --by block')
    .option('--session <id>', 'one session, request by request')
    .option('--since <time>', 'from this moment on')
    .option('--until <time>', 'up to this moment')
    .option('--project <folder>', 'only this project')
    .option('--model <id>', 'only this model')
    .option('--time-zone <zone>', 'time zone of days and times, such as Europe/Berlin or UTC')
    .option('--json', 'one JSON object (schema anchorhold.cost/1)')
    .option('--csv', 'comma-separated values')
    .option('--watch [seconds]', 'go on and show it anew, every 2 seconds or as often as said')
    .option('--strict', 'exit code 1 when a model has no price')
    .option('--prices <file>', 'prices of your own (YAML or JSON)')
    .option('--no-index', 'read every log anew, and keep nothing for the next time')
    .addHelpText('after', more)
    .action((flags: Flags) => perform(flags))
  registerStatusline(command)
}

async function perform(flags: Flags): Promise<void> {
  if (flags.json === true && flags.csv === true) throw new Failure('command/contradiction', { one: '--json', two: '--csv' })
  if (flags.blocks === true && flags.by !== undefined && flags.by !== 'block')
    throw new Failure('command/contradiction', { one: '--blocks', two: `--by ${flags.by}` })
  const seconds = flags.watch === undefined ? undefined : Number(flags.watch === true ? 2 : flags.watch)
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= 3600))
    throw new Failure('cost/bad-interval', { text: String(flags.watch) })
  if (seconds !== undefined) return watch(flags, seconds)
  const { lines, report } = await shown(flags)
  printLines(lines)
  if (flags.strict === true) refuseUnpriced(report)
}

interface Shown {
  readonly lines: readonly string[]
  readonly report: CostReport
}

async function shown(flags: Flags): Promise<Shown> {
  const view: View | undefined = flags.blocks === true ? 'block' : flags.by
  const gathered = await gather(flags, view ?? 'session')
  const { report } = gathered
  if (flags.csv === true) return { report, lines: csvLines(report) }
  if (gathered.session !== undefined && view === undefined) {
    const steps = stepsOf(report.logs, report.requests, gathered.session, report.priceOf).filter(gathered.passes)
    const group = report.grouped.groups[0]
    const id = report.logs.sessions[gathered.session] ?? ''
    return {
      report,
      lines: flags.json === true ? json(detailJson(report, group, id, steps)) : detailLines(report, group, steps, styleFor(process.stdout)),
    }
  }
  if (flags.json === true) return { report, lines: json(viewJson(report)) }
  return { report, lines: tableLines(report, styleFor(process.stdout)) }
}

function json(value: unknown): readonly string[] {
  return [jsonLine(value)]
}

function refuseUnpriced({ unpriced, prices: { file } }: CostReport): void {
  if (unpriced.length === 0) return
  throw new Failure('cost/unpriced', {
    tokens: tokens(unpriced.reduce((sum, { tokens: count }) => sum + count, 0)),
    models: unpriced.map(({ model }) => model).join(', '),
    place: file ?? '~/.config/anchorhold/prices.yaml',
  })
}

/** Until it is interrupted. On a terminal the newest lines that fit; elsewhere only what is new. */
async function watch(flags: Flags, seconds: number): Promise<void> {
  const { setTimeout: sleep } = await import('node:timers/promises')
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  let before = ''
  while (!abort.signal.aborted) {
    const { lines } = await shown(flags)
    const text = lines.join('\n')
    if (process.stdout.isTTY) {
      const room = Math.max(1, process.stdout.rows - 1)
      print(`\u001b[H\u001b[2J${[...lines.slice(0, 1), ...lines.slice(1).slice(-(room - 1))].join('\n')}\n`)
    } else if (text !== before) printLines(lines)
    before = text
    await sleep(seconds * 1000, undefined, { signal: abort.signal }).catch((error: unknown) => {
      if (!abort.signal.aborted) throw error
    })
  }
}
