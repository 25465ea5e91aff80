// Gateway, steps: the meter. Recognizes requests to models, holds them to the budget before they leave, and reads what they used from the answer as
// it passes, without delaying it. A reason to end TLS only where a budget is set; what is read anyway is metered too. Parts in ../meter/.
import { now } from '../../host/clock.ts'
import type { Modifiers } from '../../usage/tokens.ts'
import type { Amounts } from '../meter/accounts.ts'
import { amounts, cutUsage, noUsage, priced, worstUsage } from '../meter/estimate.ts'
import { agentSessionOf } from '../meter/metered.ts'
import type { Admission, Meter } from '../meter/meter.ts'
import { readAnswer, type AnswerReader } from '../meter/read-answer.ts'
import { readRequestBody } from '../meter/read-request.ts'
import { object, type Json, type RequestFacts } from '../meter/shape.ts'
import { mayCost, modelRequest, type ModelRequest } from '../meter/shapes.ts'
import type { Field, Step, StepRequest, StepResult, Watch } from './step.ts'

/** `ground`: from meter/hosts.ts. */
export function meterStep(meter: Meter, ground: Required<Pick<Step, 'concerns' | 'along'>>): Step {
  const limited = meter.limits.length > 0
  return {
    name: 'meter',
    ...ground,
    async request(request) {
      const { target, method, path, websocket } = request
      const asked = websocket ? modelRequest('POST', path) : modelRequest(method, path)
      // Elsewhere a path may look like a model's by chance.
      const strict = limited && ground.concerns(target) !== undefined
      if (websocket)
        return strict
          ? unreadable('what passes in a WebSocket cannot be metered', 'use the API over plain requests, or run without a budget')
          : pass
      if (asked === undefined)
        return strict && mayCost(method, path)
          ? unreadable(
              `${method} ${bare(path)} is none of the model requests that can be metered`,
              'run without a budget where this API is needed',
            )
          : pass
      if (!limited && asked.kind === 'answer') return watched(meter, request, asked, undefined, await meter.admit(noAmounts))
      const body = await readRequestBody(request)
      const json = body === undefined ? undefined : object(body.json)
      const facts = json === undefined ? undefined : asked.shape.facts(json, asked.kind)
      if (body === undefined || json === undefined || facts === undefined)
        return strict ? refused(meter, asked, 'this request could not be read, so what it may cost is not known') : pass
      return judged(meter, request, asked, { json, bytes: body.bytes, facts })
    },
  }
}

const pass: StepResult = { kind: 'pass' }
const noAmounts: Amounts = { usd: 0, tokens: 0, requests: 0 }

interface Known {
  readonly json: Json
  readonly bytes: number
  readonly facts: readonly RequestFacts[]
}

async function judged(meter: Meter, request: StepRequest, asked: ModelRequest, known: Known): Promise<StepResult> {
  const { json, bytes, facts } = known
  const { shape } = asked
  let worst = noAmounts
  for (const each of facts) {
    const usage = worstUsage(each, bytes / facts.length)
    const usd = priced(meter.table, usage, [each.model], each.modifiers)
    if (usd === undefined && meter.limits.some(({ unit }) => unit === 'usd'))
      return refused(
        meter,
        asked,
        `the model ${each.model.slice(0, 100)} has no price, so a budget in dollars cannot be kept. Its price goes into prices.yaml beside the policy (docs/cost.md); or use a budget of tokens: --budget "200k tokens"`,
      )
    const more = amounts(usage, usd, 1)
    worst = { usd: worst.usd + more.usd, tokens: worst.tokens + more.tokens, requests: worst.requests + more.requests }
  }
  const admitted = await meter.admit(worst)
  if ('refused' in admitted) return refused(meter, asked, admitted.refused, admitted.busy)
  const first = facts[0]
  const note = asked.kind === 'answer' && first?.tools === true ? meter.note() : undefined
  const reminded = note === undefined ? undefined : shape.remind(json, note)
  if (reminded !== undefined) meter.noted()
  const changed = shape.ask?.(reminded ?? json) ?? reminded
  return watched(meter, request, asked, known, admitted, changed)
}

function refused(meter: Meter, { shape }: ModelRequest, reason: string, busy = false): StepResult {
  if (!busy) meter.refuse(reason)
  return { kind: 'answer', ...shape.refuse(`anchorhold: ${reason}`, busy) }
}

function unreadable(reason: string, remedy: string): StepResult {
  return { kind: 'refuse', refusal: { code: 'budget-unread', reason, remedy } }
}

function bare(path: string): string {
  return path.replace(/\?.*$/s, '').slice(0, 100)
}

/** The answer comes as it would, but not compressed: asked for without, it can be read as it is. */
function watched(
  meter: Meter,
  request: StepRequest,
  asked: ModelRequest,
  known: Known | undefined,
  admitted: Awaited<ReturnType<Meter['admit']>>,
  body?: Json,
): StepResult {
  if ('refused' in admitted) return refused(meter, asked, admitted.refused, admitted.busy)
  const dropped = body === undefined ? /^accept-encoding$/i : /^(?:accept-encoding|content-encoding)$/i
  const fields: readonly Field[] = [...request.fields.filter(([name]) => !dropped.test(name)), ['accept-encoding', 'identity']]
  return {
    kind: 'pass',
    change: { fields, ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }) },
    watch: watchAnswer(meter, request, asked, known, admitted),
  }
}

function watchAnswer(
  meter: Meter,
  { target, fields }: StepRequest,
  asked: ModelRequest,
  known: Known | undefined,
  admission: Admission,
): Watch {
  const began = now()
  const agentSession = agentSessionOf(fields)
  let status = 0
  let first: number | undefined
  let complete = false
  let reader: AnswerReader | undefined
  return {
    tap: {
      head(head) {
        status = head.status
        reader = readAnswer(asked.shape, head.fields, () => (first ??= now() - began))
      },
      data: (piece) => reader?.push(piece),
      end: (whole) => (complete = whole),
    },
    over(delivered) {
      const milliseconds = now() - began
      const work = async (): Promise<void> => {
        await reader?.end()
        const { usage, usd, model, counted, requests } = reckon()
        await meter.settle(admission, amounts(usage, usd, requests), agentSession)
        if (!delivered) return
        meter.emit({
          kind: 'model.usage',
          host: target.host,
          port: target.port,
          api: asked.shape.name,
          ...(agentSession === undefined ? {} : { agentSession }),
          ...(model === undefined ? {} : { model: model.slice(0, 200) }),
          status,
          streamed: reader?.streamed ?? false,
          inputTokens: usage.input,
          outputTokens: usage.output,
          cacheWrite5mTokens: usage.cacheWrite5m,
          cacheWrite1hTokens: usage.cacheWrite1h,
          cacheReadTokens: usage.cacheRead,
          webSearches: usage.webSearches,
          ...(usd === undefined ? { unpriced: true } : { usd: usd / 1e10 }),
          counted,
          ...(first === undefined ? {} : { timeToFirstTokenMs: Math.round(first) }),
          milliseconds: Math.round(milliseconds),
        })
      }
      const reckon = (): Reckoned => {
        const told = reader?.told ?? { complete: false }
        const facts = known?.facts ?? []
        const model = told.model ?? facts[0]?.model
        const modifiers: Modifiers = { ...facts[0]?.modifiers, ...told.modifiers }
        const of = (usage: typeof noUsage, counted: Reckoned['counted'], requests: number): Reckoned => ({
          usage,
          usd: priced(meter.table, usage, [told.model, facts[0]?.model], modifiers) ?? (usage === noUsage ? 0 : undefined),
          model,
          counted,
          requests,
        })
        if (!delivered || status >= 300) return of(noUsage, 'told', 0)
        if (asked.kind === 'answer' && told.complete && told.usage !== undefined) return of(told.usage, 'told', 1)
        if (known === undefined) return of(told.usage ?? noUsage, 'part', 1)
        const worst = facts.map((each) => worstUsage(each, known.bytes / facts.length))
        const [only] = worst
        // Cut by the cell: a stream ends with it, an answer in one piece is written to its end.
        if (asked.kind === 'answer' && only !== undefined && !complete && (facts[0]?.streamed ?? false))
          return of(cutUsage(told, only, milliseconds), 'estimate', 1)
        return { ...of(worst.reduce(sum, noUsage), 'worst case', facts.length), usd: sumOfPrices(meter, facts, known.bytes) }
      }
      meter.track(work())
    },
  }
}

interface Reckoned {
  readonly usage: typeof noUsage
  readonly usd: number | undefined
  readonly model: string | undefined
  /** `part`: less than all is known, and no budget needs more. */
  readonly counted: 'told' | 'part' | 'estimate' | 'worst case'
  readonly requests: number
}

function sum(a: typeof noUsage, b: typeof noUsage): typeof noUsage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheWrite5m: a.cacheWrite5m + b.cacheWrite5m,
    cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
    cacheRead: a.cacheRead + b.cacheRead,
    webSearches: a.webSearches + b.webSearches,
  }
}

function sumOfPrices(meter: Meter, facts: readonly RequestFacts[], bytes: number): number | undefined {
  const each = facts.map((one) => priced(meter.table, worstUsage(one, bytes / facts.length), [one.model], one.modifiers))
  return each.includes(undefined) ? undefined : each.reduce((total: number, one) => total + (one ?? 0), 0)
}
