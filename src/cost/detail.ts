// One session request by request: how its context grew, which tools were called, and where the cache was lost. The requests and their numbers are
// those of every other view; the session's own files are read a second time for the rest.
import { closeSync } from 'node:fs'
import type { Cost, Money } from '../usage/price.ts'
import type { Requests } from './dedupe.ts'
import type { LogFacts, Logs } from './logs.ts'
import type { PriceOf } from './priced.ts'
import { LineBuffer, openLog, readLines } from './read-lines.ts'
import { readerOf } from './readers/list.ts'
import { column, emptyFound, flag, numbersWide, word, wordsWide, type Found } from './records.ts'
import type { Scan } from './reader.ts'
import { Strings } from './strings.ts'

export interface Step {
  /** Milliseconds since 1970. */
  readonly time: number
  /** Number of the user's prompt that it answers, from 1; 0 before the first. */
  readonly turn: number
  readonly model: string
  readonly subagent: boolean
  readonly fast: boolean
  readonly input: number
  readonly output: number
  readonly write5m: number
  readonly write1h: number
  readonly read: number
  /** Tokens of the prompt, and how many more than in the request before. */
  readonly context: number
  readonly growth: number
  readonly tools: readonly string[]
  readonly cost: Cost | undefined
  /** Where it did not find what the request before had left in the cache. */
  readonly broke: CacheBreak | undefined
}

export interface CacheBreak {
  /** Tokens that were cached and had to be sent again. */
  readonly lost: number
  readonly why: 'compacted' | 'other model' | 'expired' | 'prompt changed'
  /** Milliseconds since the request before. */
  readonly idle: number
}

/** The session's requests in their order. */
export function stepsOf(logs: Logs, requests: Requests, session: number, priceOf: PriceOf): readonly Step[] {
  const { words, numbers } = logs.records
  const own: number[] = []
  for (let at = 0; at < requests.length; at++) if (requests.session[at] === session) own.push(at)
  own.sort((a, b) => (requests.time[a] as number) - (requests.time[b] as number) || a - b)
  const seen = look(logs, new Set(own.map((at) => words[(requests.record[at] as number) * wordsWide + word.file] as number)))
  const chains = new Map<string, Step>()
  return own.map((at) => {
    const record = requests.record[at] as number
    const w = record * wordsWide
    const n = record * numbersWide
    const flags = words[w + word.flags] as number
    const found = seen.get(keyOf(flags, words[w] as number, words[w + 1] as number, words[w + 2] as number, words[w + 3] as number))
    const time = requests.time[at] as number
    const [input, output, write5m, write1h, read] = [column.input, column.output, column.write5m, column.write1h, column.read].map(
      (place) => numbers[n + place] as number,
    ) as [number, number, number, number, number]
    const subagent = requests.sidechain[at] !== 0
    const chain = subagent ? (found?.agent ?? `file ${words[w + word.file]}`) : ''
    const before = chains.get(chain)
    const context = input + write5m + write1h + read
    const step: Step = {
      time,
      turn: found?.turn ?? 0,
      model: logs.models[words[w + word.model] as number] ?? '',
      subagent,
      fast: (flags & flag.fast) !== 0,
      input,
      output,
      write5m,
      write1h,
      read,
      context,
      growth: context - (before?.context ?? 0),
      tools: [...(found?.tools.values() ?? [])],
      cost: kept(priceOf(record, time)),
      broke:
        before === undefined
          ? undefined
          : breakOf(before, { time, read, model: logs.models[words[w + word.model] as number] ?? '' }, found?.compacted === true),
    }
    chains.set(chain, step)
    return step
  })
}

function kept(cost: Cost | undefined): Cost | undefined {
  return cost === undefined ? undefined : { ...cost, byClass: { ...cost.byClass } }
}

/** Less than this is no break: the last block of a prompt is often cached anew. */
const slack = 1024

function breakOf(before: Step, now: Pick<Step, 'time' | 'read' | 'model'>, compacted: boolean): CacheBreak | undefined {
  const lost = before.read + before.write5m + before.write1h - now.read
  if (lost <= slack) return undefined
  const idle = now.time - before.time
  const lives = before.write1h > 0 ? 3_600_000 : 300_000
  const why = compacted ? 'compacted' : now.model !== before.model ? 'other model' : idle >= lives ? 'expired' : 'prompt changed'
  return { lost, why, idle }
}

/** Money that the breaks cost: what was lost, at the rate it was sent for instead of the rate for reading. */
export function costOfBreaks(steps: readonly Step[]): Money {
  let sum = 0
  for (const { broke, cost, input, write5m, write1h, read } of steps) {
    const sent = input + write5m + write1h
    if (broke === undefined || cost === undefined || sent === 0) continue
    const paid = (cost.byClass.input + cost.byClass.cacheWrite5m + cost.byClass.cacheWrite1h) / sent
    const reading = read > 0 ? cost.byClass.cacheRead / read : paid / 12.5
    sum += Math.round(Math.min(broke.lost, sent) * Math.max(0, paid - reading))
  }
  return sum
}

interface Seen {
  /** Name by the call's own id: a line may have been written twice. */
  readonly tools: Map<string, string>
  readonly turn: number
  readonly agent: string | undefined
  readonly compacted: boolean
}

function keyOf(flags: number, keyLow: number, keyHigh: number, shapeLow: number, shapeHigh: number): string {
  return (flags & flag.keyed) !== 0 ? `${keyLow} ${keyHigh}` : `${shapeLow} ${shapeHigh} by shape`
}

/** The work in some files, by the keys of the requests that did it. */
function look(logs: Logs, files: ReadonlySet<number>): ReadonlyMap<string, Seen> {
  const seen = new Map<string, Seen>()
  for (const place of files) {
    const facts = logs.files[place]
    if (facts !== undefined) lookInto(facts, seen)
  }
  return seen
}

function lookInto(facts: LogFacts, seen: Map<string, Seen>): void {
  const reader = readerOf(facts.agent)
  const opened = openLog(facts.path)
  if (opened === undefined) return
  const capture = new Capture()
  const log = reader.open({ relative: facts.relative, modified: facts.modified, kept: undefined }, capture)
  let turn = 0
  let compacted = false
  let waiting: readonly (readonly [string, string])[] = []
  try {
    readLines(opened, 0, new LineBuffer(), {
      line: (text, start, end) => {
        if (end === start) return
        const work = reader.workIn(text.bytes.toString('utf8', start, end))
        if (work.prompt) turn++
        if (work.compacted) compacted = true
        waiting = [...waiting, ...work.tools]
        capture.keys = []
        log.line(text, start, end)
        for (const key of capture.keys) {
          const known = seen.get(key)
          if (known === undefined) seen.set(key, { tools: new Map(waiting), turn, agent: work.agent, compacted })
          else for (const [id, name] of waiting) known.tools.set(id, name)
          compacted = false
          waiting = []
        }
      },
      tooLong: () => undefined,
    })
  } finally {
    closeSync(opened.descriptor)
  }
}

/** Takes the keys of what a reader finds in a line. */
class Capture implements Scan {
  readonly sessions: Strings = new Strings()
  readonly models: Strings = new Strings()
  readonly found: Found = emptyFound()
  keys: string[] = []
  add(): void {
    const { flags, keyLow, keyHigh, shapeLow, shapeHigh } = this.found
    this.keys.push(keyOf(flags, keyLow, keyHigh, shapeLow, shapeHigh))
  }
  report(): void {
    return undefined
  }
  link(): void {
    return undefined
  }
}
