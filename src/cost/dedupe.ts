// One dedupe for every view: which records are the same request, and whose session it is. The result does not depend on the order of files.
import { flag, numbersWide, word, wordsWide } from './records.ts'
import type { Logs } from './logs.ts'
import { GroupTable } from './group-table.ts'

/** Requests, each once, in columns. */
export interface Requests {
  readonly length: number
  /** The record with the most tokens. */
  readonly record: Uint32Array
  /** When its first line was written, milliseconds since 1970. */
  readonly time: Float64Array
  readonly session: Uint32Array
  /** 1 where only a subagent made it. */
  readonly sidechain: Uint8Array
}

interface Groups {
  length: number
  readonly record: Uint32Array
  readonly time: Float64Array
  readonly session: Uint32Array
  readonly sidechain: Uint8Array
  readonly keyed: Uint8Array
  /** The group it turned out to be a copy of, plus one. */
  readonly merged: Uint32Array
}

/** A record that another session has too. */
interface Contest {
  readonly group: number
  readonly session: number
  readonly time: number
}

export function dedupe(logs: Logs): Requests {
  const { records } = logs
  const size = records.length
  const groups: Groups = {
    length: 0,
    record: new Uint32Array(size),
    time: new Float64Array(size),
    session: new Uint32Array(size),
    sidechain: new Uint8Array(size),
    keyed: new Uint8Array(size),
    merged: new Uint32Array(size),
  }
  const contests: Contest[] = []
  group(logs, groups, contests)
  mergeCopies(logs, groups, contests)
  settle(logs, groups, contests)
  return compact(groups)
}

/** Records with the same id and request id; without a request id those of one session that share id and prompt. */
function group(logs: Logs, groups: Groups, contests: Contest[]): void {
  const { records } = logs
  const { words, numbers } = records
  const table = new GroupTable(records.length)
  const rootOf = roots(logs)
  for (let record = 0; record < records.length; record++) {
    const w = record * wordsWide
    const flags = words[w + word.flags] as number
    const session = words[w + word.session] as number
    const keyed = (flags & flag.keyed) !== 0
    const base = keyed ? word.keyLow : word.shapeLow
    const scope = keyed ? ((flags & flag.chained) === 0 ? 0 : rootOf(session) + 1) : session + 1
    const low = (words[w + base] as number) ^ Math.imul(scope, 0x9e3779b1)
    const high = (words[w + base + 1] as number) ^ Math.imul(scope, keyed ? 0x85ebca6b : 0xc2b2ae35)
    const found = table.find(low, high, groups.length)
    const time = numbers[record * numbersWide] as number
    if (found === groups.length) {
      groups.record[found] = record
      groups.time[found] = time
      groups.session[found] = session
      groups.sidechain[found] = flags & flag.sidechain
      groups.keyed[found] = keyed ? 1 : 0
      groups.length++
    } else join(logs, groups, found, { record, time, session, sidechain: flags & flag.sidechain }, contests)
  }
}

/** Threads that were forked from, or spawned by, one another share what was copied. */
function roots(logs: Logs): (session: number) => number {
  const parents = new Map(logs.files.flatMap(({ links }) => links))
  if (parents.size === 0) return (session) => session
  return (session) => {
    let at = session
    for (let steps = 0; steps < 64; steps++) {
      const parent = parents.get(at)
      if (parent === undefined) return at
      at = parent
    }
    return at
  }
}

interface Member {
  readonly record: number
  readonly time: number
  readonly session: number
  readonly sidechain: number
}

function join(logs: Logs, groups: Groups, at: number, member: Member, contests: Contest[]): void {
  if (tokensOf(logs, member.record) > tokensOf(logs, groups.record[at] as number)) groups.record[at] = member.record
  if (member.sidechain === 0) groups.sidechain[at] = 0
  if (member.session !== groups.session[at]) {
    contests.push({ group: at, session: groups.session[at] as number, time: groups.time[at] as number })
    contests.push({ group: at, session: member.session, time: member.time })
  }
  if (member.time < (groups.time[at] as number)) {
    groups.time[at] = member.time
    groups.session[at] = member.session
  }
}

function tokensOf({ records: { numbers } }: Logs, record: number): number {
  const n = record * numbersWide
  return (
    (numbers[n + 1] as number) +
    (numbers[n + 2] as number) +
    (numbers[n + 3] as number) +
    (numbers[n + 4] as number) +
    (numbers[n + 5] as number)
  )
}

/**
 * Copies whose keys differ: a subagent's replay of its parent's response (another request id), a copy that lost its request id, and a copied
 * session of a gateway that gives none (same moment).
 */
function mergeCopies(logs: Logs, groups: Groups, contests: Contest[]): void {
  const { words } = logs.records
  const rank = (at: number): number => (groups.sidechain[at] === 0 ? 2 : 0) + (groups.keyed[at] as number)
  const chained = (at: number): boolean => ((words[(groups.record[at] as number) * wordsWide + word.flags] as number) & flag.chained) !== 0
  const isCopy = (at: number): boolean => rank(at) !== 3 && !chained(at)
  let copies = 0
  for (let at = 0; at < groups.length; at++) if (isCopy(at)) copies++
  if (copies === 0) return
  const table = new GroupTable(groups.length)
  const best: number[] = []
  const shapeOf = (at: number): number => {
    const w = (groups.record[at] as number) * wordsWide
    return table.find(words[w + word.shapeLow] as number, words[w + word.shapeHigh] as number, best.length)
  }
  for (let at = 0; at < groups.length; at++) {
    if (rank(at) === 0 || chained(at)) continue
    const shape = shapeOf(at)
    const known = best[shape]
    if (known === undefined || rank(at) > rank(known)) best[shape] = at
  }
  const recurring = recurringIds(logs, groups)
  const moments = new Map<string, number>()
  for (let at = 0; at < groups.length; at++) {
    if (!isCopy(at)) continue
    const shape = shapeOf(at)
    const original = best[shape]
    if (original !== undefined && original !== at && rank(original) > rank(at) && belongs(groups, original, at, recurring)) {
      merge(logs, groups, at, original, contests)
    } else if (groups.keyed[at] === 0) {
      const w = (groups.record[at] as number) * wordsWide
      const moment = `${words[w + word.shapeLow]} ${words[w + word.shapeHigh]} ${recurring(at) ? groups.time[at] : ''}`
      const same = moments.get(moment)
      if (same === undefined) moments.set(moment, at)
      else merge(logs, groups, at, same, contests)
    }
  }
}

/** Whether a group's id is one that a gateway gives to every response: it comes with prompts of more than one size. */
function recurringIds({ records: { words } }: Logs, groups: Groups): (at: number) => boolean {
  const shapes = new Map<string, string>()
  const several = new Set<string>()
  const idOf = (at: number): string => {
    const w = (groups.record[at] as number) * wordsWide
    return `${words[w + word.keyLow]} ${words[w + word.keyHigh]}`
  }
  for (let at = 0; at < groups.length; at++) {
    if (groups.keyed[at] === 1) continue
    const w = (groups.record[at] as number) * wordsWide
    const shape = `${words[w + word.shapeLow]} ${words[w + word.shapeHigh]}`
    const id = idOf(at)
    const known = shapes.get(id)
    if (known === undefined) shapes.set(id, shape)
    else if (known !== shape) several.add(id)
  }
  return (at) => several.has(idOf(at))
}

/** An original may be any response under a gateway's one constant id: then the session or the moment must agree. */
function belongs(groups: Groups, original: number, copy: number, recurring: (at: number) => boolean): boolean {
  return (
    groups.keyed[original] === 1 ||
    !recurring(original) ||
    groups.session[original] === groups.session[copy] ||
    groups.time[original] === groups.time[copy]
  )
}

function merge(logs: Logs, groups: Groups, copy: number, original: number, contests: Contest[]): void {
  groups.merged[copy] = original + 1
  const member = {
    record: groups.record[copy] as number,
    time: groups.time[copy] as number,
    session: groups.session[copy] as number,
    sidechain: groups.sidechain[copy] as number,
  }
  join(logs, groups, original, member, contests)
}

/**
 * Copies keep their times, so the first session by time can be several: then the one that was first to go its own way, since the original had
 * been going on before it was copied. A session that has nothing of its own was copied as a whole: it ended before the copy went on.
 */
function settle(logs: Logs, groups: Groups, contests: readonly Contest[]): void {
  if (contests.length === 0) return
  const ownStart = new Map<number, number>(contests.map(({ session }) => [session, Infinity]))
  const shared = new Set(contests.map(({ group: at }) => at))
  for (let at = 0; at < groups.length; at++) {
    if (groups.merged[at] !== 0 || shared.has(at)) continue
    const session = groups.session[at] as number
    const start = ownStart.get(session)
    if (start !== undefined && (groups.time[at] as number) < start) ownStart.set(session, groups.time[at] as number)
  }
  const lastShared = new Map<number, number>()
  for (const { session, time } of contests) lastShared.set(session, Math.max(time, lastShared.get(session) ?? -Infinity))
  for (const [session, time] of ownStart) if (time === Infinity) ownStart.set(session, lastShared.get(session) ?? Infinity)
  const start = (session: number): number => ownStart.get(session) ?? Infinity
  const name = (session: number): string => logs.sessions[session] ?? ''
  for (const { group: at, session, time } of contests) {
    const holder = groups.session[at] as number
    if (groups.merged[at] !== 0 || session === holder || time > (groups.time[at] as number)) continue
    if (start(session) < start(holder) || (start(session) === start(holder) && name(session) < name(holder))) groups.session[at] = session
  }
}

function compact(groups: Groups): Requests {
  const { record, time, session, sidechain } = groups
  let length = 0
  for (let at = 0; at < groups.length; at++) {
    if (groups.merged[at] !== 0) continue
    if (length !== at) {
      record[length] = record[at] as number
      time[length] = time[at] as number
      session[length] = session[at] as number
      sidechain[length] = sidechain[at] as number
    }
    length++
  }
  return { length, record, time, session, sidechain }
}
