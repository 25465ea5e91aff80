// Turns Claude Code's lines into records: the hot path first, the careful one for what it leaves. One reader per file, its parts reused.
import { bytesOfText, hashHigh, hashLow, mix } from '../bytes.ts'
import type { LogText, NextLine } from '../read-lines.ts'
import type { LineReader, OpenFile, Scan } from '../reader.ts'
import { flag, type Found } from '../records.ts'
import { readString } from '../strings.ts'
import { parseLine, type ParsedResponse, type ParsedUsage } from './parse.ts'
import { counted, fact, lineFlag, Walker } from './walker.ts'

const lowSeed = 0x811c9dc5
const highSeed = 0x1b873593
/** Those of a line's flags that are a record's. */
const recordFlags = flag.sidechain | flag.fast | flag.batch | flag.usOnly | flag.keyed
const synthetic = '<synthetic>'

/** The parts that all files of a scan share. */
export class ClaudeScan {
  readonly walker: Walker = new Walker()
  readonly next: NextLine = (text, start, search, filled, found) => this.walker.next(text, start, search, filled, found)
  /** Places of the session and the model that stood in the line before. */
  session = 0
  model = 0
  readonly scan: Scan
  constructor(scan: Scan) {
    this.scan = scan
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

  get next(): NextLine {
    return this.#shared.next
  }

  line(text: LogText, start: number, end: number): string | undefined {
    const { walker } = this.#shared
    const outcome = walker.judge(text, start, end)
    if (outcome === 'skip') return undefined
    if (outcome === 'odd') return this.#careful(text.bytes, start, end)
    const { facts, counts } = walker
    const cwdEnd = facts[fact.cwd + 1] as number
    if (!this.#sure && cwdEnd > 0) this.#place(readString(text.bytes, facts[fact.cwd] as number, cwdEnd))
    if (((facts[fact.flags] as number) & lineFlag.empty) === 0) this.#bill(text, facts, counts)
    return undefined
  }

  #bill(text: LogText, facts: Int32Array, counts: Float64Array): void {
    const shared = this.#shared
    const { scan } = shared
    const { found } = scan
    const flags = facts[fact.flags] as number
    const [modelStart, modelEnd] = [facts[fact.model] as number, facts[fact.model + 1] as number]
    const [sessionStart, sessionEnd] = [facts[fact.session] as number, facts[fact.session + 1] as number]
    if ((flags & lineFlag.sameModel) === 0) shared.model = scan.models.place(readString(text.bytes, modelStart, modelEnd))
    const named = sessionEnd > sessionStart
    if (named && (flags & lineFlag.sameSession) === 0)
      shared.session = scan.sessions.place(readString(text.bytes, sessionStart, sessionEnd))
    found.model = shared.model
    found.session = named ? shared.session : this.#fallbackSession
    found.time = this.#time = this.#timeIn(text, facts, counts)
    found.input = counts[counted.input] as number
    found.output = counts[counted.output] as number
    found.write5m = counts[counted.write5m] as number
    found.write1h = counts[counted.write1h] as number
    found.read = counts[counted.read] as number
    found.web = counts[counted.web] as number
    found.flags = (flags & recordFlags) | (this.#subagent ? flag.sidechain : 0)
    found.keyLow = facts[fact.keyLow] as number
    found.keyHigh = facts[fact.keyHigh] as number
    found.shapeLow = facts[fact.shapeLow] as number
    found.shapeHigh = facts[fact.shapeHigh] as number
    scan.add()
  }

  /** A line without a time has that of the line before. */
  #timeIn(text: LogText, facts: Int32Array, counts: Float64Array): number {
    const usual = counts[counted.time] as number
    const end = facts[fact.time + 1] as number
    if (!Number.isNaN(usual) || end === 0) return end === 0 ? this.#time : usual
    const time = Date.parse(readString(text.bytes, facts[fact.time] as number, end))
    return Number.isNaN(time) ? this.#time : time
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
