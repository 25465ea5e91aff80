// From the flags of `anchorhold cost` to a report: which logs, which prices, which requests.
import { existsSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { collect } from '../cost/collect.ts'
import { dedupe } from '../cost/dedupe.ts'
import type { Step } from '../cost/detail.ts'
import { groupBy, type Filter, type View } from '../cost/group.ts'
import type { Logs } from '../cost/logs.ts'
import { readMoment } from '../cost/period.ts'
import { pricesFor } from '../cost/priced.ts'
import { loadPrices } from '../cost/prices-in-use.ts'
import { accountsFile } from '../gateway/meter/accounts-file.ts'
import { isWithin } from '../host/paths.ts'
import { makeReport, type CostReport } from '../report/cost/report.ts'
import { processContext } from '../run/context.ts'
import { modelId } from '../usage/model-id.ts'

export interface CostFlags {
  readonly by?: View
  readonly session?: string
  readonly since?: string
  readonly until?: string
  readonly project?: string
  readonly model?: string
  readonly timeZone?: string
  readonly prices?: string
  readonly index?: boolean
}

export interface Gathered {
  readonly report: CostReport
  /** Place of the one session that was asked for. */
  readonly session: number | undefined
  /** Whether the filters let a step of it through. */
  readonly passes: (step: Step) => boolean
}

/** Throws Failure `cost/…`. */
export async function gather(flags: CostFlags, view: View): Promise<Gathered> {
  const timeZone = setZone(flags.timeZone)
  const { env, home, cwd, folders, version } = processContext()
  const now = Date.now()
  const times = { since: momentOf('--since', flags.since, now, false), until: momentOf('--until', flags.until, now, true) }
  const prices = await loadPrices(folders.config, flags.prices === undefined ? undefined : path.resolve(cwd, flags.prices))
  const cache = flags.index === false ? undefined : cacheFolder(env, home)
  const logs = await collect({ places: { env, home, cells: path.join(folders.data, 'homes') }, cache, version })
  const requests = dedupe(logs)
  const session = flags.session === undefined ? undefined : findSession(logs, flags.session)
  const filter: Filter = {
    ...times,
    session,
    project: flags.project === undefined ? undefined : projectFilter(flags.project, cwd),
    model: flags.model === undefined ? undefined : modelFilter(flags.model),
  }
  const priceOf = pricesFor(logs, prices.table)
  const grouped = groupBy(view, logs, requests, priceOf, filter)
  const wall = view === 'session' && existsSync(accountsFile(folders.state))
  const metered = wall ? (await import('../gateway/meter/metered.ts')).readMetered(folders.state) : new Map<string, never>()
  const report = makeReport({ metered, view, logs, requests, grouped, filter, prices, priceOf, timeZone, now })
  const passes = ({ time, model }: Step): boolean =>
    (times.since === undefined || time >= times.since) &&
    (times.until === undefined || time < times.until) &&
    (filter.model?.(model) ?? true)
  return { report, session, passes }
}

/** The zone that days are of from now on. */
function setZone(given: string | undefined): string {
  if (given === undefined) return zoneName()
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions()
    process.env['TZ'] = timeZone
    return timeZone
  } catch (error) {
    throw new Failure('cost/bad-zone', { text: given }, { cause: error })
  }
}

/** This process's zone. Asking `Intl` costs more than the rest of a start, so it comes last. */
function zoneName(): string {
  const named = process.env['TZ']
  if (named !== undefined && /^[A-Z]\w+(?:\/[\w+-]+)*$/.test(named)) return named
  try {
    const [, zone] = named === undefined ? (/\/zoneinfo\/([\w+/-]+)$/.exec(readlinkSync('/etc/localtime')) ?? []) : []
    if (zone !== undefined) return zone.replace(/^Etc\/UTC$/, 'UTC')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
  return new Intl.DateTimeFormat('en').resolvedOptions().timeZone
}

function momentOf(flag: string, text: string | undefined, now: number, end: boolean): number | undefined {
  if (text === undefined) return undefined
  const time = readMoment(text, now, end)
  if (time === undefined) throw new Failure('cost/bad-time', { flag, text })
  return time
}

export function cacheFolder(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const named = env['XDG_CACHE_HOME']
  return path.join(named !== undefined && path.isAbsolute(named) ? named : path.join(home, '.cache'), 'anchorhold')
}

function findSession(logs: Logs, text: string): number {
  const exact = logs.sessions.indexOf(text)
  if (exact >= 0) return exact
  const found = logs.sessions.flatMap((name, place) => (text !== '' && name.startsWith(text) ? [{ name, place }] : []))
  const [only, ...others] = found
  if (only === undefined) throw new Failure('cost/unknown-session', { text })
  if (others.length === 0) return only.place
  const ids = found.slice(0, 5).map(({ name }) => name)
  throw new Failure('cost/ambiguous-session', { text, count: found.length, ids: ids.join(', ') + (found.length > 5 ? ', …' : '') })
}

/** A path (`.`, with a slash): the folder and all below; a pattern: the whole path or a name; else a folder's own name. */
function projectFilter(text: string, cwd: string): (project: string) => boolean {
  if (text.includes('*')) {
    const pattern = glob(text)
    return (project) => pattern.test(project) || pattern.test(path.basename(project))
  }
  if (text.includes('/') || /^\.\.?$/.test(text)) {
    const folder = path.resolve(cwd, text)
    return (project) => project !== '' && isWithin(project, folder)
  }
  return (project) => path.basename(project) === text
}

function modelFilter(text: string): (model: string) => boolean {
  if (text.includes('*')) {
    const pattern = glob(text)
    return (model) => pattern.test(model) || pattern.test(modelId(model))
  }
  const id = modelId(text)
  return (model) => model === text || modelId(model) === id || modelId(model) === `claude-${id}`
}

function glob(text: string): RegExp {
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
}
