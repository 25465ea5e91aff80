// Writes session logs as Claude Code writes them, with everything that makes counting go wrong, and keeps what is true beside it. The truth is what
// the model was asked and answered, known before a line is written; it knows nothing of how logs are read.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Pseudo random numbers from a seed (xorshift). */
export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0 || 1
    for (let i = 0; i < 8; i++) this.next()
  }
  next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state / 4294967296
  }
  chance(share: number): boolean {
    return this.next() < share
  }
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T
  }
  hex(length: number): string {
    return Array.from({ length }, () => '0123456789abcdef'[this.between(0, 15)]).join('')
  }
  uuid(): string {
    return [8, 4, 4, 4, 12].map((length) => this.hex(length)).join('-')
  }
  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => [this.next(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item)
  }
}

export interface TrueRequest {
  readonly session: string
  readonly project: string
  readonly model: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly sidechain: boolean
  readonly fast: boolean
  readonly batch: boolean
  readonly usOnly: boolean
  readonly input: number
  readonly output: number
  readonly write5m: number
  readonly write1h: number
  readonly read: number
  readonly web: number
}

export interface Truth {
  readonly requests: TrueRequest[]
  /** `FILE:LINE` of each line that is no JSON. */
  readonly damaged: string[]
  /** The agent's own last total by session. */
  readonly reported: Map<string, number>
}

export interface CorpusOptions {
  readonly seed: number
  readonly sessions?: number
  readonly models?: readonly string[]
  /** What is mixed in; all of it where nothing is said. */
  readonly shuffled?: boolean
  readonly spaced?: boolean
  readonly damaged?: boolean
}

interface Style {
  readonly shuffled: boolean
  readonly spaced: boolean
}

const usual = [
  'claude-opus-5-5',
  'claude-sonnet-5-5',
  'claude-haiku-5-5',
  'claude-sonnet-4-5-20250929',
  'claude-opus-4-8',
  'claude-fable-5-1',
  'made-up-model-9',
]
const start = Date.UTC(2026, 7, 30)

/** Logs below `folder/projects`; what they hold. */
export function writeCorpus(folder: string, options: CorpusOptions): Truth {
  const dice = new Dice(options.seed)
  const truth: Truth = { requests: [], damaged: [], reported: new Map() }
  const donors: Session[] = []
  for (let count = options.sessions ?? 12; count > 0; count--) {
    const style = { shuffled: (options.shuffled ?? true) && dice.chance(0.3), spaced: (options.spaced ?? true) && dice.chance(0.2) }
    const session = new Session(folder, dice, truth, style, options.models ?? usual)
    const donor = donors.length > 0 && dice.chance(0.25) ? dice.pick(donors) : undefined
    if (donor !== undefined) session.forkFrom(donor)
    session.work(dice.between(2, 12))
    if ((options.damaged ?? true) && dice.chance(0.4)) session.damage()
    session.save()
    donors.push(session)
  }
  return truth
}

class Session {
  readonly id: string
  readonly project: string
  readonly lines: string[] = []
  readonly #folder: string
  readonly #dice: Dice
  readonly #truth: Truth
  readonly #style: Style
  readonly #models: readonly string[]
  readonly #model: string
  readonly #gateway: 'none' | 'no request ids' | 'one id'
  readonly #old: boolean
  #time: number
  #context: number
  #parent: string | null = null
  #unended = ''

  constructor(folder: string, dice: Dice, truth: Truth, style: Style, models: readonly string[]) {
    this.id = dice.uuid()
    this.project = `/home/dev/work/${dice.pick(['api', 'web.site', 'tool_box'])}-${dice.between(1, 3)}`
    this.#folder = path.join(folder, 'projects', this.project.replace(/[^a-zA-Z0-9]/g, '-'))
    this.#dice = dice
    this.#truth = truth
    this.#style = style
    this.#models = models
    this.#model = dice.pick(models)
    this.#gateway = dice.chance(0.2) ? dice.pick(['no request ids', 'one id'] as const) : 'none'
    this.#old = dice.chance(0.4)
    this.#time = start + dice.between(0, 80 * 86_400) * 1000
    this.#context = dice.between(9_000, 30_000)
  }

  /** Earlier lines of another session under a new id, as a resumed or forked session has them. */
  forkFrom(donor: Session): void {
    const kept = donor.lines.slice(0, this.#dice.between(1, donor.lines.length)).filter(isJson)
    this.lines.push(...kept.map((line) => line.replaceAll(donor.id, this.id)))
    this.#time = Math.max(this.#time, donor.#time) + 3_600_000
  }

  work(prompts: number): void {
    const dice = this.#dice
    for (let prompt = 0; prompt < prompts; prompt++) {
      this.#time += dice.between(2_000, 7_200_000)
      this.#line({ type: 'user', message: { role: 'user', content: this.#words() } })
      for (let turn = dice.between(1, 5); turn > 0; turn--) {
        const answered = this.#answer(this.lines, { sidechain: false, agent: undefined, model: this.#model })
        if (dice.chance(0.1)) this.#subagent(answered)
        if (dice.chance(0.15)) this.#noise()
      }
    }
    if (dice.chance(0.6)) {
      const total = dice.between(1, 2_000_000) / 1e6
      this.#truth.reported.set(this.id, total)
      this.#line({ type: 'cost-state', sessionId: this.id, totalCostUSD: total + 1, modelUsage: {} }, true)
      this.#line({ type: 'cost-state', sessionId: this.id, totalCostUSD: total, modelUsage: {} }, true)
    }
  }

  /** Lines that are no JSON, in the middle and at the end, with and without an end of their own. */
  damage(): void {
    const dice = this.#dice
    const file = `${this.#folder}/${this.id}.jsonl`
    const note = (line: number): void => void this.#truth.damaged.push(`${file}:${line}`)
    if (dice.chance(0.5)) {
      const at = dice.between(0, this.lines.length)
      this.lines.splice(
        at,
        0,
        dice.pick(['not json at all', '{"type":"assistant","message":{"id":"msg_1","usage":', '\u0000\u0000\u0000\u0000', '[1,2,3']),
      )
      note(at + 1)
    }
    if (dice.chance(0.5)) {
      // A crash tore a line, and the next process went on behind it.
      this.#time += 60_000
      const torn = JSON.stringify({
        parentUuid: dice.uuid(),
        isSidechain: false,
        type: 'user',
        message: { role: 'user', content: 'cut off' },
      }).slice(0, -20)
      const behind: string[] = []
      this.#answer(behind, { sidechain: false, agent: undefined, model: this.#model }, { shuffled: false, spaced: false })
      const [first = '', ...rest] = behind
      this.lines.push(`${torn}${first}`, ...rest)
      note(this.lines.length - rest.length)
    }
    if (dice.chance(0.5)) {
      this.#unended = `{"parentUuid":"${dice.uuid()}","isSidechain":false,"message":{"model":"${this.#model}","id":"msg_trunc`
      note(this.lines.length + 1)
    }
  }

  save(): void {
    mkdirSync(this.#folder, { recursive: true })
    writeFileSync(path.join(this.#folder, `${this.id}.jsonl`), `${this.lines.join('\n')}\n${this.#unended}`)
  }

  #subagent(answered: { readonly id: string; readonly usage: Json; readonly model: string }): void {
    const dice = this.#dice
    const agent = dice.hex(17)
    const lines: string[] = []
    const model = dice.pick(this.#models)
    const [held, heldParent] = [this.#context, this.#parent]
    this.#context = dice.between(4_000, 9_000)
    this.#parent = null
    if (dice.chance(0.4) && this.#gateway !== 'one id') {
      // A replay of the parent's response, under a request id of its own.
      const copy = {
        id: answered.id,
        model: answered.model,
        role: 'assistant',
        type: 'message',
        content: [{ type: 'text', text: 'again' }],
        usage: answered.usage,
      }
      this.#line({ isSidechain: true, agentId: agent, message: copy, requestId: `req_${dice.hex(20)}`, type: 'assistant' }, false, lines)
    }
    const shown: { id: string; usage: Json; requestId: string | undefined; model: string; time: number }[] = []
    for (let count = dice.between(1, 4); count > 0; count--) shown.push(this.#answer(lines, { sidechain: true, agent, model }))
    const nested = dice.chance(0.3) ? path.join(agent, 'subagents') : ''
    const folder = path.join(this.#folder, this.id, 'subagents', nested)
    mkdirSync(folder, { recursive: true })
    appendFileSync(path.join(folder, `agent-${agent}.jsonl`), `${lines.join('\n')}\n`)
    this.#context = held
    this.#parent = heldParent
    const last = shown.at(-1)
    if (last !== undefined && dice.chance(0.5)) {
      const inner: Json = {
        type: 'assistant',
        message: { id: last.id, model: last.model, role: 'assistant', content: [], usage: last.usage },
        ...(last.requestId === undefined ? {} : { requestId: last.requestId }),
        timestamp: new Date(last.time).toISOString(),
      }
      this.#line({ type: 'progress', data: { type: 'agent_progress', message: inner, agentId: agent } })
    }
    const usage = { input_tokens: 4, cache_creation_input_tokens: 812, cache_read_input_tokens: 41_200, output_tokens: 911 }
    this.#line({
      type: 'user',
      message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: dice.hex(9), content: this.#words() }] },
      toolUseResult: { status: 'completed', content: [{ type: 'text', text: this.#words() }], totalTokens: 42_927, usage },
    })
  }

  /** One response in as many lines as it has blocks; the lines before the last may hold part of the output only. */
  #answer(
    lines: string[],
    by: { readonly sidechain: boolean; readonly agent: string | undefined; readonly model: string },
    style: Style = this.#style,
  ): { readonly id: string; readonly requestId: string | undefined; readonly usage: Json; readonly model: string; readonly time: number } {
    const dice = this.#dice
    const cold = dice.chance(0.1)
    const fresh = dice.between(20, 30_000)
    const long = dice.chance(0.05) ? 180_000 : 0
    const written = cold ? this.#context + fresh : fresh
    const hour = dice.chance(0.6)
    const used = {
      input: dice.between(1, 40),
      output: dice.between(10, 9_000),
      write5m: hour ? 0 : written,
      write1h: hour ? written : 0,
      read: (cold ? 0 : this.#context) + long,
      web: dice.chance(0.05) ? dice.between(1, 3) : 0,
    }
    this.#context += fresh + used.output
    const full = dice.chance(0.7)
    const served = {
      fast: full && by.model.includes('opus') && dice.chance(0.1),
      batch: full && dice.chance(0.05),
      usOnly: full && dice.chance(0.1),
    }
    const id =
      this.#gateway === 'one id' ? 'chatcmpl-constant' : this.#gateway === 'none' ? `msg_01${dice.hex(22)}` : `chatcmpl-${dice.hex(12)}`
    const requestId = this.#gateway === 'none' ? `req_011C${dice.hex(20)}` : undefined
    if (!full) used.web = 0
    const blocks = dice.between(1, 4)
    let time = 0
    const usage = usageJson(used, used.output, full, served)
    for (let block = 0; block < blocks; block++) {
      this.#time += dice.between(300, 9_000)
      if (block === 0) time = this.#time
      const partial = this.#old && block < blocks - 1
      const line = this.#line(
        {
          isSidechain: by.sidechain,
          ...(by.agent === undefined ? {} : { agentId: by.agent }),
          message: {
            model: by.model,
            id,
            type: 'message',
            role: 'assistant',
            content: [this.#block(block)],
            stop_reason: 'tool_use',
            stop_sequence: null,
            usage: partial ? usageJson(used, dice.between(1, 9), full, served) : usage,
          },
          ...(requestId === undefined ? {} : { requestId }),
          type: 'assistant',
        },
        false,
        lines,
        style,
      )
      if (dice.chance(0.1)) lines.push(line)
    }
    this.#truth.requests.push({
      session: this.id,
      project: this.project,
      model: by.model,
      time,
      sidechain: by.sidechain,
      ...served,
      ...used,
    })
    return { id, requestId, usage, model: by.model, time }
  }

  #block(place: number): Json {
    if (place === 0) return { type: 'text', text: `${this.#words()} "usage":{"input_tokens":99} \\" }` }
    return {
      type: 'tool_use',
      id: `toolu_${this.#dice.hex(12)}`,
      name: 'Bash',
      input: { command: this.#words(), usage: { input_tokens: 7, output_tokens: 1 }, list: [{}] },
    }
  }

  #noise(): void {
    const dice = this.#dice
    const zero = {
      input_tokens: 0,
      output_tokens: 0,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      service_tier: null,
      iterations: null,
    }
    this.#line(
      dice.pick<{ readonly [key: string]: Json }>([
        { type: 'system', subtype: 'turn_duration', durationMs: 1200 },
        { attachment: { type: 'hook_success', content: this.#words() }, type: 'attachment' },
        {
          type: 'assistant',
          message: { id: dice.uuid(), model: '<synthetic>', role: 'assistant', content: [], usage: zero },
          isApiErrorMessage: true,
        },
        { type: 'assistant', message: { id: dice.uuid(), model: 'claude-opus-5-5', role: 'assistant', content: [], usage: null } },
        { type: 'queue-operation', operation: 'enqueue', content: this.#words() },
      ]),
    )
  }

  #words(): string {
    return this.#dice.pick([
      'look at the file\nand "quote" it',
      'fix {"usage":{"input_tokens":5}} please',
      'äöü 日本 🙂 \\n',
      'x'.repeat(this.#dice.between(1, 3_000)),
    ])
  }

  #line(fields: { readonly [key: string]: Json }, bare = false, lines: string[] = this.lines, style: Style = this.#style): string {
    const uuid = this.#dice.uuid()
    const around = {
      uuid,
      timestamp: new Date(this.#time).toISOString(),
      userType: 'external',
      cwd: this.project,
      sessionId: this.id,
      version: '2.1.200',
    }
    const line = bare
      ? render(fields, this.#dice, style)
      : render({ parentUuid: this.#parent, isSidechain: false, ...fields, ...around }, this.#dice, style)
    this.#parent = uuid
    lines.push(line)
    return line
  }
}

/** An agent reads a session before it goes on with it: what it could not read is not copied. */
function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

type Used = Pick<TrueRequest, 'input' | 'output' | 'write5m' | 'write1h' | 'read' | 'web'>

function usageJson(
  used: Used,
  output: number,
  full: boolean,
  served: { readonly fast: boolean; readonly batch: boolean; readonly usOnly: boolean },
): Json {
  const split = { ephemeral_5m_input_tokens: used.write5m, ephemeral_1h_input_tokens: used.write1h }
  const sums = { input_tokens: used.input, cache_creation_input_tokens: used.write5m + used.write1h, cache_read_input_tokens: used.read }
  if (!full) return { ...sums, cache_creation: split, output_tokens: output, service_tier: 'standard' }
  return {
    ...sums,
    output_tokens: output,
    output_tokens_details: { thinking_tokens: output >> 2 },
    server_tool_use: { web_search_requests: used.web, web_fetch_requests: 3 },
    service_tier: served.batch ? 'batch' : 'standard',
    cache_creation: split,
    inference_geo: served.usOnly ? 'us' : 'not_available',
    iterations: [{ ...sums, output_tokens: output, cache_creation: split, type: 'message' }],
    speed: served.fast ? 'fast' : 'standard',
  }
}

/** JSON text, compact in the given order, or with keys in any order, or with blanks. */
function render(value: Json, dice: Dice, style: Style): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => render(item, dice, style)).join(style.spaced ? ', ' : ',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value as { readonly [key: string]: Json })
  const ordered = style.shuffled ? dice.shuffled(entries) : entries
  const parts = ordered.map(([key, inner]) => `${JSON.stringify(key)}:${style.spaced ? ' ' : ''}${render(inner, dice, style)}`)
  return `{${parts.join(style.spaced ? ', ' : ',')}}`
}
