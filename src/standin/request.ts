// Reads what a client sent to the stand-in: the body within a bound, and the parts of a Messages request.
import type { IncomingMessage } from 'node:http'
import type { ApiError, Message, MessagesRequest } from './script.ts'

/** One request as it arrived; kept for assertions. */
export interface Recorded {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** What it was taken for. */
  readonly kind: 'turn' | 'side' | 'count' | 'other' | 'refused'
  /** Position of the turn that answered it. */
  readonly turn?: number
}

/** The Messages API's own limit for a request. */
const maxBytes = 32 * 2 ** 20

/** The whole body as text; undefined where it is larger than the API takes. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks).toString()
}

/** The value of a JSON object; undefined for anything else. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The request, or the error that the API gives for it. */
export function readMessages(
  body: Readonly<Record<string, unknown>>,
): { readonly request: MessagesRequest } | { readonly error: ApiError } {
  const { model, messages, max_tokens: maxTokens } = body
  if (typeof model !== 'string') return { error: invalid('model: Field required') }
  if (typeof maxTokens !== 'number') return { error: invalid('max_tokens: Field required') }
  if (!Array.isArray(messages)) return { error: invalid('messages: Field required') }
  if (messages.length === 0) return { error: invalid('messages: at least one message is required') }
  const read: Message[] = []
  for (const [index, message] of messages.entries()) {
    if (!isObject(message) || typeof message['role'] !== 'string') return { error: invalid(`messages.${index}.role: Field required`) }
    const content = message['content']
    if (typeof content === 'string') read.push({ role: message['role'], content: [{ type: 'text', text: content }] })
    else if (Array.isArray(content)) read.push({ role: message['role'], content: content.filter(isObject) })
    else return { error: invalid(`messages.${index}.content: Field required`) }
  }
  const tools: readonly unknown[] = Array.isArray(body['tools']) ? body['tools'] : []
  return {
    request: { model, stream: body['stream'] === true, messages: read, tools, system: body['system'], outputSchema: schemaIn(body) },
  }
}

export function invalid(message: string): ApiError {
  return { status: 400, type: 'invalid_request_error', message }
}

function schemaIn(body: Readonly<Record<string, unknown>>): unknown {
  const config = body['output_config']
  const format = isObject(config) ? config['format'] : body['output_format']
  return isObject(format) ? format['schema'] : undefined
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
