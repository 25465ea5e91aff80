// Turns Claude Code's lines into records: the hot path first, the careful one for what it leaves. One reader per file, its parts reused.
import { bytesOfText, hashHigh, hashLow, mix, type Bytes } from '../bytes.ts'
import type { LineReader, OpenFile, Scan } from '../reader.ts'
import { flag, type Found } from '../records.ts'
import { LastSeen, readString } from '../strings.ts'
import { parseLine, type ParsedResponse, type ParsedUsage } from './parse.ts'
import { readTime } from './time.ts'
import { walk, type Walked } from './walk.ts'
import { emptyUsage } from './walk-usage.ts'

const lowSeed = 0x811c9dc5
const highSeed = 0x1b873593
const synthetic = '<synthetic>'

function emptyWalked(): Walked {
  const ends = { idEnd: 0, requestEnd: 0, modelEnd: 0, sessionEnd: 0, timeEnd: 0, cwdEnd: 0 }
  const starts = { idStart: 0, requestStart: 0, modelStart: 0, sessionStart: 0, timeStart: 0, cwdStart: 0 }
  return { usage: emptyUsage(), hasUsage: false, sidechain: false, ...starts, ...ends }
}

/** The parts that all files of a scan share. */
export class ClaudeScan {
  readonly walked: Walked = emptyWalked()
  readonly session: LastSeen
  readonly model: LastSeen
  readonly scan: Scan
  constructor(scan: Scan) {
    this.scan = scan
    this.session = new LastSeen(scan.sessions)
    this.model = new LastSeen(scan.models)
  }
}

interface Kept {
  readonly project?: string
  readonly sure?: boolean
  readonly time?: number
}

export class ClaudeLines implements LineReader {
  readonly #shared: ClaudeScan
  readonly #folder: string
  readonly #fallbackSession: number
  readonly #subagent: boolean
  #project: string | undefined
  #sure: boolean
  #time: number
  constructor(shared: ClaudeScan, file: OpenFile, session: string) {
    const kept = (file.kept === undefined ? {} : JSON.parse(file.kept)) as Kept
    this.#shared = shared
    this.#folder = file.relative.split('/')[0] ?? ''
    this.#fallbackSession = shared.scan.sessions.place(session)
    this.#subagent = file.relative.includes('/subagents/')
    this.#project = kept.project
    this.#sure = kept.sure ?? false
    this.#time = kept.time ?? file.modified
  }

  get project(): string | undefined {
    return this.#project
  }
  get kept(): string {
    return JSON.stringify({ project: this.#project, sure: this.#sure, time: this.#time } satisfies { [key in keyof Kept]: unknown })
  }

  line(text: Bytes, start: number, end: number): string | undefined {
    const { walked } = this.#shared
    const outcome = walk(text, start, end, walked)
    if (outcome === 'skip') return undefined
    if (outcome === 'odd') return this.#careful(text.bytes, start, end)
    if (!this.#sure && walked.cwdEnd > 0) this.#place(readString(text.bytes, walked.cwdStart, walked.cwdEnd))
    return this.#bill(text, walked)
  }

  #bill(text: Bytes, walked: Walked): undefined {
    const { scan } = this.#shared
    const { usage } = walked
    if (usage.input + usage.output + usage.written + usage.write5m + usage.write1h + usage.read + usage.web === 0) return undefined
    const { found } = scan
    const time = walked.timeEnd > 0 ? readTime(text, walked.timeStart, walked.timeEnd) : Number.NaN
    if (!Number.isNaN(time)) this.#time = time
    found.time = this.#time
    found.model = this.#shared.model.place(text, walked.modelStart, walked.modelEnd)
    found.session =
      walked.sessionEnd > walked.sessionStart
        ? this.#shared.session.place(text, walked.sessionStart, walked.sessionEnd)
        : this.#fallbackSession
    setUsage(found, usage, walked.sidechain || this.#subagent)
    const low = hashLow(text, walked.idStart, walked.idEnd, lowSeed)
    const high = hashHigh(text, walked.idStart, walked.idEnd, highSeed)
    const keyed = walked.requestEnd > walked.requestStart
    if (keyed) found.flags |= flag.keyed
    found.keyLow = keyed ? hashLow(text, walked.requestStart, walked.requestEnd, low) : low
    found.keyHigh = keyed ? hashHigh(text, walked.requestStart, walked.requestEnd, high) : high
    setShape(found, low, high)
    scan.add()
    return undefined
  }

  #careful(buffer: Buffer, start: number, end: number): string | undefined {
    const text = buffer.toString('utf8', start, end).trim()
    if (text === '') return undefined
    const parsed = parseLine(text)
    if (parsed.kind === 'damaged') {
      this.#recover(text)
      return parsed.reason
    }
    this.#take(parsed)
    return undefined
  }

  /** Behind a line that was torn by a crash, the next one may stand whole. */
  #recover(text: string): void {
    const at = text.lastIndexOf('{"parentUuid":')
    if (at <= 0) return
    const parsed = parseLine(text.slice(at))
    if (parsed.kind !== 'damaged') this.#take(parsed)
  }

  #take(parsed: Exclude<ReturnType<typeof parseLine>, { kind: 'damaged' }>): void {
    const { scan } = this.#shared
    if (parsed.kind === 'total') {
      scan.report(parsed.session === undefined ? this.#fallbackSession : scan.sessions.place(parsed.session), parsed.dollars)
      return
    }
    if (!this.#sure && parsed.cwd !== undefined) this.#place(parsed.cwd)
    if (parsed.kind === 'responses') for (const response of parsed.responses) this.#add(response)
  }

  #add(response: ParsedResponse): void {
    const { scan } = this.#shared
    const { usage } = response
    if (usage.input + usage.output + usage.written + usage.write5m + usage.write1h + usage.read + usage.web === 0) return
    if (response.time !== undefined) this.#time = response.time
    const { found } = scan
    found.time = this.#time
    found.model = scan.models.place(response.model === '' ? synthetic : response.model)
    found.session = response.session === undefined ? this.#fallbackSession : scan.sessions.place(response.session)
    setUsage(found, usage, response.sidechain || this.#subagent)
    const id = bytesOfText(response.id)
    const low = mixPart(hashLow(id, 0, id.length, lowSeed), response.part)
    const high = mixPart(hashHigh(id, 0, id.length, highSeed), response.part)
    const request = bytesOfText(response.requestId ?? '')
    const keyed = request.length > 0
    if (keyed) found.flags |= flag.keyed
    found.keyLow = keyed ? hashLow(request, 0, request.length, low) : low
    found.keyHigh = keyed ? hashHigh(request, 0, request.length, high) : high
    setShape(found, low, high)
    scan.add()
  }

  /** The folder the log is named after; where none is seen, the first that is. */
  #place(cwd: string): void {
    if (cwd.replace(/[^a-zA-Z0-9]/g, '-') === this.#folder) {
      this.#project = cwd
      this.#sure = true
    } else this.#project ??= cwd
  }
}

function mixPart(hash: number, part: number): number {
  return part === 0 ? hash : mix(hash, part)
}

/** What the split leaves of the sum was written for five minutes, as older versions did. */
function setUsage(found: Found, usage: ParsedUsage, sidechain: boolean): void {
  found.input = usage.input
  found.output = usage.output
  found.read = usage.read
  found.web = usage.web
  found.write1h = usage.write1h
  found.write5m = usage.write5m + Math.max(0, usage.written - usage.write5m - usage.write1h)
  found.flags =
    (sidechain ? flag.sidechain : 0) | (usage.fast ? flag.fast : 0) | (usage.batch ? flag.batch : 0) | (usage.usOnly ? flag.usOnly : 0)
}

/** The response's id with the size of its prompt: lines of one response share it, whoever copied them. */
function setShape(found: Found, low: number, high: number): void {
  const written = found.write5m + found.write1h
  found.shapeLow = mix(mix(mix(low, found.input), found.read), written)
  found.shapeHigh = mix(mix(mix(high, written), found.input), found.read)
}
