// Requests put together by what a view asks for. Every view goes through here, over the same requests: that is why they agree.
import type { Logs } from './logs.ts'
import { blockStarts } from './blocks.ts'
import type { Requests } from './dedupe.ts'
import { periodOf } from './period.ts'
import type { PriceOf } from './priced.ts'
import { sessionProjects } from './projects.ts'
import { word, wordsWide } from './records.ts'
import { addRequest, addTally, emptyTally, type Tally } from './tally.ts'

export const views = ['session', 'day', 'week', 'month', 'model', 'project', 'block'] as const
export type View = (typeof views)[number]

export interface Filter {
  /** Moments `[since, until)`. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly project?: ((project: string) => boolean) | undefined
  readonly model?: ((model: string) => boolean) | undefined
  readonly session?: number | undefined
}

export interface Group {
  /** Session id, period, model, folder, or the block's start. */
  readonly key: string
  readonly project: string | undefined
  readonly models: ReadonlyMap<string, Tally>
  readonly all: Tally
  readonly subagents: Tally
  /** First and last request. */
  first: number
  last: number
  /** Sessions that have a request in it. */
  readonly sessions: Set<number>
}

export interface Grouped {
  readonly groups: readonly Group[]
  readonly total: Group
}

/** Groups, the newest last; by model and by project the dearest last. */
export function groupBy(view: View, logs: Logs, requests: Requests, priceOf: PriceOf, filter: Filter): Grouped {
  const { numbers, words } = logs.records
  const projects = sessionProjects(logs)
  const passesModel = logs.models.map((model) => filter.model?.(model) ?? true)
  const passesProject = logs.sessions.map((_, session) => filter.project?.(projects[session] ?? '') ?? true)
  const chosen: number[] = []
  for (let at = 0; at < requests.length; at++) {
    const time = requests.time[at] as number
    const session = requests.session[at] as number
    if (filter.session !== undefined && session !== filter.session) continue
    if ((filter.since !== undefined && time < filter.since) || (filter.until !== undefined && time >= filter.until)) continue
    if (passesProject[session] !== true) continue
    if (passesModel[words[(requests.record[at] as number) * wordsWide + word.model] as number] === true) chosen.push(at)
  }
  const keyOf = keys(view, logs, requests, projects)
  const groups = new Map<string | number, Building>()
  // Requests that follow each other are mostly of one group, one model and one session.
  let [key, group]: [string | number | undefined, Building] = [undefined, building()]
  let [model, tally, session] = [-1, emptyTally(), -1]
  for (const at of chosen) {
    const record = requests.record[at] as number
    const time = requests.time[at] as number
    const now = words[record * wordsWide + word.model] as number
    const nextKey = keyOf(at)
    if (nextKey !== key) {
      key = nextKey
      group = groups.get(key) ?? building()
      groups.set(key, group)
      model = session = -1
    }
    if (now !== model) {
      model = now
      tally = group.models.get(model) ?? emptyTally()
      group.models.set(model, tally)
    }
    const cost = priceOf(record, time)
    addRequest(tally, numbers, record, cost)
    if (requests.sidechain[at] !== 0) addRequest(group.subagents, numbers, record, cost)
    if (time < group.first) group.first = time
    if (time > group.last) group.last = time
    if (requests.session[at] !== session) {
      session = requests.session[at] as number
      group.sessions.add(session)
    }
  }
  const finished = [...groups].map(([key, group]) => finish(view, key, group, logs, projects))
  return { groups: sort(view, finished), total: totalOf(finished) }
}

interface Building {
  readonly models: Map<number, Tally>
  readonly subagents: Tally
  readonly sessions: Set<number>
  first: number
  last: number
}

function building(): Building {
  return { models: new Map(), subagents: emptyTally(), sessions: new Set(), first: Infinity, last: -Infinity }
}

function keys(view: View, logs: Logs, requests: Requests, projects: readonly (string | undefined)[]): (at: number) => string | number {
  const { words } = logs.records
  switch (view) {
    case 'session':
      return (at) => requests.session[at] as number
    case 'project':
      return (at) => projects[requests.session[at] as number] ?? ''
    case 'model':
      return (at) => words[(requests.record[at] as number) * wordsWide + word.model] as number
    case 'block': {
      // Of all requests: what a filter leaves out counts for the plan all the same.
      const byTime = Uint32Array.from({ length: requests.length }, (_, at) => at)
      byTime.sort((a, b) => (requests.time[a] as number) - (requests.time[b] as number))
      const starts = blockStarts(Float64Array.from(byTime, (at) => requests.time[at] as number))
      const startOf = new Float64Array(requests.length)
      for (const [place, at] of byTime.entries()) startOf[at] = starts[place] as number
      return (at) => startOf[at] as number
    }
    case 'day':
    case 'week':
    case 'month': {
      const period = periodOf(view)
      return (at) => period(requests.time[at] as number)
    }
  }
}

function finish(view: View, key: string | number, group: Building, logs: Logs, projects: readonly (string | undefined)[]): Group {
  const all = emptyTally()
  for (const tally of group.models.values()) addTally(all, tally)
  const models = new Map(
    [...group.models].map(([model, tally]) => [logs.models[model] ?? '', tally] as const).sort(([, a], [, b]) => b.money - a.money),
  )
  const { subagents, first, last, sessions } = group
  const project = view === 'session' ? projects[Number(key)] : view === 'project' ? String(key) : undefined
  const name = {
    session: () => logs.sessions[Number(key)],
    model: () => logs.models[Number(key)],
    block: () => new Date(Number(key)).toISOString(),
  }
  const text = view === 'session' || view === 'model' || view === 'block' ? name[view]() : String(key)
  return { key: text ?? '', project, models, all, subagents, first, last, sessions }
}

function sort(view: View, groups: readonly Group[]): readonly Group[] {
  const byName = (a: Group, b: Group): number => (a.key < b.key ? -1 : 1)
  if (view === 'session') return groups.toSorted((a, b) => a.last - b.last || byName(a, b))
  if (view === 'model' || view === 'project') return groups.toSorted((a, b) => a.all.money - b.all.money || byName(a, b))
  return groups.toSorted(byName)
}

function totalOf(groups: readonly Group[]): Group {
  const all = emptyTally()
  const subagents = emptyTally()
  const models = new Map<string, Tally>()
  const sessions = new Set<number>()
  let [first, last] = [Infinity, -Infinity]
  for (const group of groups) {
    addTally(all, group.all)
    addTally(subagents, group.subagents)
    for (const [model, tally] of group.models) {
      const known = models.get(model) ?? emptyTally()
      addTally(known, tally)
      models.set(model, known)
    }
    for (const session of group.sessions) sessions.add(session)
    first = Math.min(first, group.first)
    last = Math.max(last, group.last)
  }
  return { key: 'total', project: undefined, models, all, subagents, first, last, sessions }
}
