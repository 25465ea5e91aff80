// The end of a run on stderr: what the wall did, and the command for each thing the user may want to change.
// Made from the state that session/state.ts folds; says nothing where there is nothing to say.
import type { RefusedHost, SessionState } from '../session/state.ts'
import { modelsInWords } from './budget.ts'
import { changesInWords } from './changes.ts'
import { findingInWords } from './findings.ts'
import { limitValue } from './limits.ts'
import { quoteArgv } from './quote.ts'
import { unstyled, type Style } from './style.ts'
import { plain } from './text.ts'
import { counted, duration, listed, size } from './units.ts'

export interface SummaryInput {
  readonly session: string
  readonly state: SessionState
  readonly style?: Style
  /** Only what needs the user: files taken away, git keys held back, an end by a limit, a journal that ended early. */
  readonly quiet?: boolean
  /** The line with duration and traffic also where nothing happened and in a pipe. */
  readonly verbose?: boolean
}

const rows = 8

/** Lines without line feeds, each starting with "anchorhold:" or indented below one; often none. */
export function summarize(input: SummaryInput): readonly string[] {
  const needed = [
    ...spent(input.state),
    ...ending(input.state),
    ...reviewed(input.state),
    ...quarantined(input.state),
    ...gitHeld(input.state),
    ...found(input),
    ...journal(input),
  ]
  const told =
    input.quiet === true
      ? []
      : [...metered(input), ...echoed(input.state), ...gitMerged(input.state), ...refused(input), ...warnings(input.state)]
  const lines = [...needed, ...told]
  if (lines.length === 0 && input.quiet === true && input.verbose !== true) return []
  const style = input.style ?? unstyled
  const overview = input.verbose === true || (input.quiet !== true && (style.terminal || lines.length > 0))
  return [...(overview ? [line(summaryLine(input))] : []), ...lines].map((text) => text.replace(/^anchorhold:/, style.bold('anchorhold:')))
}

function line(text: string): string {
  return `anchorhold: ${plain(text, { max: 2_000 })}`
}
function below(text: string): string {
  return `    ${plain(text, { max: 2_000 })}`
}

function summaryLine({ session, state }: SummaryInput): string {
  const parts: string[] = []
  if (state.end !== undefined) parts.push(`${duration(state.end.milliseconds)}, exit code ${state.end.exitCode}`)
  if (state.allowed.size > 0)
    parts.push(`${counted(state.allowed.size, 'host')} reached, ${size(state.received)} received, ${size(state.sent)} sent`)
  for (const [name, { count, hosts }] of state.secrets)
    parts.push(`secret ${name} put in ${counted(count, 'time')} (${listed([...hosts], 3)})`)
  if (state.hidden > 0) parts.push(`${counted(state.hidden, 'file')} hidden`)
  return `session ${session}${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`
}

/** In a pipe only where there is a budget: else it is the command's own output that is wanted there. */
function metered({ state: { models, budget }, style, verbose }: SummaryInput): readonly string[] {
  const wanted = budget !== undefined || (models.requests > 0 && (verbose === true || style?.terminal === true))
  return !wanted ? [] : [line(modelsInWords(models, budget))]
}

function spent({ budgetRefused }: SessionState): readonly string[] {
  const [first] = budgetRefused
  const more = budgetRefused.length > 1 ? ` (and ${budgetRefused.length - 1} more)` : ''
  return first === undefined ? [] : [line(`a request to a model was refused${more}: ${first}`)]
}

function ending(state: SessionState): readonly string[] {
  const end = state.end?.end
  if (end === undefined) return []
  if (end.limit !== undefined) {
    const value = state.limits.find((row) => row.name === end.limit)?.value
    const flag = { fileSize: 'file-size', openFiles: 'open-files' }[end.limit as 'fileSize' | 'openFiles'] ?? end.limit
    const named = value === undefined ? end.limit : `${end.limit} (${limitValue(end.limit, value)})`
    return [line(`the run was ended by its limit of ${named}; more: anchorhold run --limit ${flag}=…`)]
  }
  if (end.kind === 'failed') return [line(`the command did not start: ${end.preflight ?? end.message ?? 'the engine failed'}`)]
  if ((end.usage?.oomKills ?? 0) > 0)
    return [
      line(
        `${counted(end.usage?.oomKills ?? 0, 'process')} ran into the memory limit and was killed; more: anchorhold run --limit memory=…`,
      ),
    ]
  return []
}

function reviewed({ reviewed: end }: SessionState): readonly string[] {
  if (end === undefined) return []
  const words = changesInWords(end)
  return [line(end.changes === 0 ? words : `${words}, none of it in the project yet; read it: anchorhold diff ${end.proposal}`)]
}

function quarantined(state: SessionState): readonly string[] {
  const count = state.quarantinedCount
  if (count === 0) return []
  const what = count === 1 ? 'a protected file appeared and was' : `${count} protected files appeared and were`
  const shown = state.quarantined
    .slice(0, rows)
    .map((event) => below(`${plain(event.path)} (${event.rule}); to put it back: ${event.restore}`))
  return [line(`${what} taken out of the project:`), ...shown, ...more(count, shown.length)]
}

function gitHeld(state: SessionState): readonly string[] {
  return state.held
    .slice(0, rows)
    .map((event) =>
      line(`git settings that could run code were held back from ${event.path}: ${listed(event.keys, rows)}; kept in ${event.kept}`),
    )
}

function gitMerged(state: SessionState): readonly string[] {
  return state.merged.slice(0, rows).map((event) => line(`git settings taken over into ${event.path}: ${listed(event.keys, rows)}`))
}

function echoed(state: SessionState): readonly string[] {
  return state.echoed
    .slice(0, rows)
    .map(({ name, host }) =>
      line(`${host} sent the value of the secret ${name} back; it was taken out of the answer before the cell saw it`),
    )
}

/** One line: what of secrets is in what the run wrote, and where. Never a value. */
function found(input: SummaryInput): readonly string[] {
  const { session, verbose, state } = input
  const { scanned } = state
  const all = `anchorhold secret scan --session ${session}`
  if (scanned === undefined) return []
  if (scanned.found === 0)
    return scanned.complete || !(verbose === true || input.style?.terminal === true)
      ? []
      : [line(`not all that this run wrote was looked through for secrets; all of it: ${all}`)]
  const places = listed(scanned.findings.map(findingInWords), 3, scanned.found)
  return [line(`what this run wrote holds ${scanned.found === 1 ? 'a secret' : `${scanned.found} secrets`}: ${places}; look: ${all}`)]
}

function journal({ session, state }: SummaryInput): readonly string[] {
  return state.journalFull ? [line(`the journal reached its size; what came later was counted only (anchorhold log ${session})`)] : []
}

function refused({ session, state }: SummaryInput): readonly string[] {
  const hosts = [...state.refused.values()]
  const total = new Set(hosts.map(({ host }) => host)).size
  if (total === 0)
    return state.refusedElse > 0 ? [line(`${counted(state.refusedElse, 'connection')} were refused: anchorhold log ${session}`)] : []
  // Only what the gateway itself said would be allowed by it goes into the command line: no --allow helps an address or against a deny.
  const allowable = hosts.filter((host) => wouldAllow(host) !== undefined)
  const names = [...new Set(allowable.map((host) => wouldAllow(host) ?? ''))]
  const flags = names.slice(0, rows).flatMap((name) => ['--allow', name])
  const heading = `${total === 1 ? '1 host was' : `${total}${state.refusedElse > 0 ? ' and more' : ''} hosts were`} refused`
  const command =
    flags.length === 0
      ? ''
      : `; to allow: ${quoteArgv(['anchorhold', 'run', ...flags])} …${names.length > rows ? ` (and ${names.length - rows} more)` : ''}`
  // Where the whole host is not all that could be allowed (a method, a path), the reason says more than the command.
  const others = firstReasonsFirst(hosts.filter((host) => !allowable.includes(host) || !host.remedy?.startsWith('anchorhold run ')))
  const shown = others.slice(0, rows).flatMap((host) => [
    below(`${host.host}${host.port === 0 ? '' : `:${host.port}`}: ${host.reason}`),
    // A remedy repeats the name; one that is no plain name is not put where it might be pasted.
    ...(host.remedy === undefined || !/^[a-z0-9_][a-z0-9._:-]*$/i.test(host.host) ? [] : [below(`  → ${host.remedy}`)]),
  ])
  return [line(`${heading}${command}`), ...shown, ...more(others.length, Math.min(others.length, rows), `anchorhold log ${session}`)]
}

/** Each host once, before any of them a second time. */
function firstReasonsFirst(refused: readonly RefusedHost[]): readonly RefusedHost[] {
  const at = (row: RefusedHost, index: number): number =>
    refused.slice(0, index).filter(({ host, port }) => host === row.host && port === row.port).length
  return refused
    .map((row, index) => ({ row, at: at(row, index) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ row }) => row)
}

/** What stands behind `--allow` in the remedy of a refusal, where that is a remedy and names the refused host itself. */
function wouldAllow({ host, remedy }: RefusedHost): string | undefined {
  const named = /(?:^|: )anchorhold run --allow ([a-z0-9_][a-z0-9._-]*(?::[0-9]+)?) …$/.exec(remedy ?? '')?.[1]
  return named === host || named?.startsWith(`${host}:`) === true ? named : undefined
}

function warnings(state: SessionState): readonly string[] {
  return state.warnings
    .slice(0, rows)
    .flatMap((event) => [line(`warning: ${event.message}`), ...(event.remedy === undefined ? [] : [below(`→ ${event.remedy}`)])])
}

function more(total: number, shown: number, where = ''): readonly string[] {
  return total > shown ? [below(`and ${total - shown} more${where === '' ? '' : `: ${where}`}`)] : []
}
