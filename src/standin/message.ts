// One answer of the stand-in, as one JSON object or as the event stream that a streaming request gets.
import type { Turn, Usage } from './script.ts'
import { toolId } from './script.ts'
import { tokensIn, usageObject } from './usage.ts'

type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }

export interface Answer {
  readonly id: string
  readonly model: string
  readonly content: readonly Block[]
  readonly stopReason: 'tool_use' | 'end_turn'
  readonly usage: Usage
}

/** The answer that a turn means. */
export function answerOf(turn: Turn, position: number, model: string, id: string, input: Omit<Usage, 'output'>): Answer {
  const tools = (turn.tools ?? []).map((call, index): Block => ({
    type: 'tool_use',
    id: toolId(position, index),
    name: call.name,
    input: call.input,
  }))
  const text = turn.text ?? (tools.length === 0 ? 'Done.' : undefined)
  const content: readonly Block[] = text === undefined ? tools : [{ type: 'text', text }, ...tools]
  const usage = { ...input, output: tokensIn(JSON.stringify(content)), ...turn.usage }
  return { id, model, content, stopReason: tools.length > 0 ? 'tool_use' : 'end_turn', usage }
}

/** The body of an answer to a request without `stream`. */
export function messageObject(answer: Answer): Readonly<Record<string, unknown>> {
  const { id, model, content, stopReason, usage } = answer
  return { id, type: 'message', role: 'assistant', model, content, stop_reason: stopReason, stop_sequence: null, usage: usageObject(usage) }
}

/** Server-sent events in the order of the Messages API, each ready to be written. */
export function* events(answer: Answer): Generator<string> {
  const start = { ...messageObject(answer), content: [], stop_reason: null, usage: usageObject({ ...answer.usage, output: 1 }) }
  yield event('message_start', { message: start })
  yield event('ping', {})
  for (const [index, block] of answer.content.entries()) {
    if (block.type === 'text') {
      yield event('content_block_start', { index, content_block: { type: 'text', text: '' } })
      for (const text of pieces(block.text)) yield event('content_block_delta', { index, delta: { type: 'text_delta', text } })
    } else {
      yield event('content_block_start', { index, content_block: { ...block, input: {} } })
      for (const partial of pieces(JSON.stringify(block.input))) {
        yield event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: partial } })
      }
    }
    yield event('content_block_stop', { index })
  }
  yield event('message_delta', { delta: { stop_reason: answer.stopReason, stop_sequence: null }, usage: usageObject(answer.usage) })
  yield event('message_stop', {})
}

function event(type: string, data: Readonly<Record<string, unknown>>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}

/** Cuts between code points, so that no piece holds half a character. */
function pieces(text: string): readonly string[] {
  return text.match(/[\s\S]{1,40}/gu) ?? []
}
