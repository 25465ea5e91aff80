// Codex: one rollout per thread below `sessions/YYYY/MM/DD` (and `archived_sessions`), JSONL. Usage comes as `token_count` events, which repeat
// and which a forked thread or a subagent copies from its parent: a request is known by the chain of all totals up to it.
import path from 'node:path'
import { cellHomes } from '../cell-homes.ts'
import { mix, type Bytes } from '../bytes.ts'
import type { LineReader, OpenFile, Places, Reader, Root, Scan, Work } from '../reader.ts'
import { idle, object, parseObject, text } from '../json.ts'
import type { Json } from '../json.ts'
import { flag } from '../records.ts'

export const codex: Reader = {
  agent: 'codex',
  roots,
  isLog: (relative) => /(?:^|\/)rollout-[^/]*\.jsonl$/.test(relative),
  sessionOf,
  open: (file, scan) => new CodexLines(file, scan),
  workIn,
}

/** `rollout-2026-11-23T10-00-00-THREAD.jsonl` */
function sessionOf(relative: string): string | undefined {
  return /([0-9a-f]{8}-[0-9a-f-]{27})\.jsonl$/.exec(relative)?.[1]
}

function roots({ env, home, cells }: Places): readonly Root[] {
  const named = env['CODEX_HOME']
  const base = named !== undefined && path.isAbsolute(named) ? named : path.join(home, '.codex')
  const below = (folder: string, untrusted: boolean): readonly Root[] =>
    ['sessions', 'archived_sessions'].map((name) => ({ folder: path.join(folder, name), untrusted }))
  return [...below(base, false), ...cellHomes(cells).flatMap((folder) => below(path.join(folder, '.codex'), true))]
}

interface Kept {
  readonly thread?: string
  readonly sidechain?: boolean
  readonly model?: string
  readonly project?: string
  readonly total?: string
  readonly low?: number
  readonly high?: number
}

/** Only these lines are read; the rest is what was said and done. */
const marks = ['"session_meta"', '"turn_context"', '"token_count"'].map((text) => Buffer.from(text))

class CodexLines implements LineReader {
  readonly #scan: Scan
  readonly #file: OpenFile
  #state: Kept
  constructor(file: OpenFile, scan: Scan) {
    this.#scan = scan
    this.#file = file
    this.#state = (file.kept === undefined ? {} : JSON.parse(file.kept)) as Kept
  }

  get kept(): string {
    return JSON.stringify(this.#state)
  }
  get project(): string | undefined {
    return this.#state.project
  }

  line({ bytes: buffer }: Bytes, start: number, end: number): string | undefined {
    // The kind of a line stands near its beginning, behind the time; a line that does not end like one is read whole.
    const head = buffer.subarray(start, Math.min(end, start + 256))
    const whole = buffer[start] === 0x7b && buffer[end - 1] === 0x7d
    if (whole && !marks.some((mark) => head.includes(mark))) return undefined
    let value: unknown
    try {
      const text = buffer.toString('utf8', start, end).trim()
      if (text === '') return undefined
      value = JSON.parse(text)
    } catch (error) {
      if (error instanceof SyntaxError) return 'it is not JSON'
      throw error
    }
    const line = object(value)
    const payload = object(line?.['payload'])
    if (line === undefined) return 'it is JSON, but no object'
    if (payload === undefined) return undefined
    if (line['type'] === 'session_meta') this.#meta(payload)
    else if (line['type'] === 'turn_context') this.#state = { ...this.#state, ...named('model', payload['model']), ...this.#cwd(payload) }
    else if (line['type'] === 'event_msg' && payload['type'] === 'token_count')
      return this.#count(object(payload['info']), line['timestamp'])
    return undefined
  }

  /** The first is the thread's own; those behind it are its ancestors', copied. */
  #meta(payload: Json): void {
    if (this.#state.thread !== undefined) return
    const thread = text(payload['id']) ?? this.#fallback()
    const spawn = object(object(object(payload['source'])?.['subagent'])?.['thread_spawn'])
    const parent = text(payload['parent_thread_id']) ?? text(spawn?.['parent_thread_id']) ?? text(payload['forked_from_id'])
    const sidechain = object(payload['source'])?.['subagent'] !== undefined || payload['thread_source'] === 'subagent'
    this.#state = { ...this.#state, thread, sidechain, ...named('model', payload['model']), ...this.#cwd(payload) }
    const { sessions } = this.#scan
    if (parent !== undefined) this.#scan.link(sessions.place(thread), sessions.place(parent))
  }

  #cwd(payload: Json): Pick<Kept, 'project'> {
    return this.#state.project === undefined ? named('project', payload['cwd']) : {}
  }

  #fallback(): string {
    return sessionOf(this.#file.relative) ?? this.#file.relative
  }

  #count(info: Json | undefined, timestamp: unknown): string | undefined {
    const last = info === undefined ? undefined : object(info['last_token_usage'])
    const total = object(info?.['total_token_usage'])
    // Only limits were renewed.
    if (last === undefined) return undefined
    const used = countsOf(last)
    const sums = countsOf(total ?? last)
    if (used === undefined || sums === undefined) return 'its usage is no count of tokens'
    const mark = sums.join(' ')
    // Written again, without a request in between.
    if (total !== undefined && mark === this.#state.total) return undefined
    let low = this.#state.low ?? 0x811c9dc5
    let high = this.#state.high ?? 0x1b873593
    for (const value of [...sums, ...used]) {
      low = mix(low, value)
      high = mix(high, value + 1)
    }
    this.#state = { ...this.#state, total: mark, low, high }
    this.#add(used, Date.parse(text(timestamp) ?? ''))
    return undefined
  }

  #add([input, cached, written, output]: Counts, time: number): void {
    if (input + output === 0) return
    const { found, sessions, models } = this.#scan
    const { thread = this.#fallback(), sidechain = false, model = 'unknown', low = 0, high = 0 } = this.#state
    found.time = Number.isNaN(time) ? this.#file.modified : time
    found.session = sessions.place(thread)
    found.model = models.place(model)
    found.read = Math.min(cached, input)
    found.write5m = Math.min(written, input - found.read)
    found.input = input - found.read - found.write5m
    found.output = output
    found.write1h = found.web = 0
    found.keyLow = found.shapeLow = low
    found.keyHigh = found.shapeHigh = high
    found.flags = flag.keyed | flag.chained | (sidechain ? flag.sidechain : 0)
    this.#scan.add()
  }
}

type Counts = readonly [input: number, cached: number, written: number, output: number]

function countsOf(usage: Json): Counts | undefined {
  const counts = ['input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens'].map((name) => usage[name] ?? 0)
  const [input, cached, written, output] = counts.filter((value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
  if (input === undefined || cached === undefined || written === undefined || output === undefined) return undefined
  return [input as number, cached as number, written as number, output as number]
}

function named<Name extends 'model' | 'project'>(name: Name, value: unknown): Partial<Record<Name, string>> {
  const found = text(value)
  return found === undefined ? {} : ({ [name]: found } as Partial<Record<Name, string>>)
}

function workIn(line: string): Work {
  const read = parseObject(line)
  const payload = object(read?.['payload'])
  const kind = payload?.['type']
  if (read?.['type'] === 'response_item' && (kind === 'function_call' || kind === 'custom_tool_call'))
    return { ...idle, tools: [[text(payload?.['call_id']) ?? line.slice(0, 60), text(payload?.['name']) ?? 'tool']] }
  if (read?.['type'] === 'response_item' && kind === 'local_shell_call')
    return { ...idle, tools: [[text(payload?.['call_id']) ?? line.slice(0, 60), 'shell']] }
  return { ...idle, prompt: read?.['type'] === 'event_msg' && kind === 'user_message', compacted: read?.['type'] === 'compacted' }
}
