// The careful path for Claude Code's lines: JSON.parse for what the hot path did not expect (other orders of keys, spaces, copies inside other
// lines, the agent's own totals). Gives plain values; lines.ts turns them into records.
import { object, text, type Json } from '../json.ts'

export interface ParsedUsage {
  readonly input: number
  readonly output: number
  readonly written: number
  readonly write5m: number
  readonly write1h: number
  readonly read: number
  readonly web: number
  readonly fast: boolean
  readonly batch: boolean
  readonly usOnly: boolean
}
export interface ParsedResponse {
  readonly id: string
  readonly requestId: string | undefined
  readonly model: string
  readonly session: string | undefined
  /** Milliseconds since 1970. */
  readonly time: number | undefined
  readonly sidechain: boolean
  readonly usage: ParsedUsage
  /** Which of several billed parts of one response this is: an advisor's own calls come after it. */
  readonly part: number
}

export type Parsed =
  | { readonly kind: 'responses'; readonly responses: readonly ParsedResponse[]; readonly cwd: string | undefined }
  | { readonly kind: 'total'; readonly session: string | undefined; readonly dollars: number }
  | { readonly kind: 'nothing'; readonly cwd: string | undefined }
  | { readonly kind: 'damaged'; readonly reason: string }

/** One line of a session log. */
export function parseLine(source: string): Parsed {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    return { kind: 'damaged', reason: error instanceof SyntaxError ? 'it is not JSON' : 'it cannot be read' }
  }
  const line = object(value)
  if (line === undefined) return { kind: 'damaged', reason: 'it is JSON, but no object' }
  const cwd = text(line['cwd'])
  if (line['type'] === 'cost-state') {
    const dollars = line['totalCostUSD']
    return typeof dollars === 'number' && dollars >= 0 ? { kind: 'total', session: sessionOf(line), dollars } : { kind: 'nothing', cwd }
  }
  const data = object(line['data'])
  const inner = line['type'] === 'progress' ? object(data?.['message']) : line
  if (inner === undefined || (inner['type'] !== undefined && inner['type'] !== 'assistant')) return { kind: 'nothing', cwd }
  const message = object(inner['message'])
  const usage = object(message?.['usage'])
  if (message === undefined || usage === undefined || message['role'] === 'user') return { kind: 'nothing', cwd }
  const read = readUsage(usage)
  if (read === undefined) return { kind: 'damaged', reason: 'its usage is no count of tokens' }
  const first: ParsedResponse = {
    id: text(message['id']) ?? '',
    requestId: text(inner['requestId']) ?? text(line['requestId']),
    model: text(message['model']) ?? '',
    session: sessionOf(inner) ?? sessionOf(line),
    time: timeOf(inner) ?? timeOf(line),
    sidechain: inner['isSidechain'] === true || line['isSidechain'] === true || inner !== line,
    usage: read,
    part: 0,
  }
  return { kind: 'responses', responses: [first, ...advisors(first, usage)], cwd }
}

/** Calls of another model that the response holds, which are not part of its own numbers. */
function advisors(response: ParsedResponse, usage: Json): readonly ParsedResponse[] {
  const iterations = usage['iterations']
  if (!Array.isArray(iterations)) return []
  return iterations.flatMap((entry: unknown, index) => {
    const iteration = object(entry)
    if (iteration?.['type'] !== 'advisor_message') return []
    const read = readUsage(iteration)
    return read === undefined ? [] : [{ ...response, usage: read, model: text(iteration['model']) ?? response.model, part: index + 1 }]
  })
}

function readUsage(usage: Json): ParsedUsage | undefined {
  const split = object(usage['cache_creation']) ?? {}
  const tools = object(usage['server_tool_use']) ?? {}
  const counts = {
    input: count(usage['input_tokens']),
    output: count(usage['output_tokens']),
    written: count(usage['cache_creation_input_tokens']),
    write5m: count(split['ephemeral_5m_input_tokens']),
    write1h: count(split['ephemeral_1h_input_tokens']),
    read: count(usage['cache_read_input_tokens']),
    web: count(tools['web_search_requests']),
  }
  if (Object.values(counts).some((value) => Number.isNaN(value))) return undefined
  return { ...counts, fast: usage['speed'] === 'fast', batch: usage['service_tier'] === 'batch', usOnly: usage['inference_geo'] === 'us' }
}

/** A count of tokens; nothing is none; NaN where it is something else. */
function count(value: unknown): number {
  if (value === undefined || value === null) return 0
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 1e15 ? value : Number.NaN
}

function sessionOf(line: Json): string | undefined {
  return text(line['sessionId']) ?? text(line['session_id'])
}

function timeOf(line: Json): number | undefined {
  const time = Date.parse(text(line['timestamp']) ?? '')
  return Number.isNaN(time) ? undefined : time
}
