// Gateway, meter: OpenAI's Responses API, streamed and not (platform.openai.com/docs/api-reference/responses).
import type { Usage } from '../../usage/tokens.ts'
import { bound, count, jsonError, list, object, text, type Json, type ModelShape } from './shape.ts'

export const openaiResponses: ModelShape = {
  name: 'openai-responses',
  kind: (path) => (/\/responses\/?$/.test(path) ? 'answer' : undefined),
  facts(body) {
    const model = text(body['model'])
    if (model === undefined) return undefined
    const maxTokens = bound(body['max_output_tokens'])
    return [{ model, maxTokens, streamed: body['stream'] === true, tools: list(body['tools']).length > 0, modifiers: {} }]
  },
  read(event, told) {
    const response = object(event['response']) ?? (event['object'] === 'response' ? event : undefined)
    if (event['type'] === 'error') told.error = text(event['code']) ?? 'error'
    if (response === undefined) return
    const model = text(response['model'])
    if (model !== undefined) told.model = model
    const usage = object(response['usage'])
    if (usage === undefined) return
    told.usage = openaiUsage(usage, 'input_tokens', 'output_tokens', 'input_tokens_details')
    told.complete = true
  },
  firstToken: /"type":\s?"response\.[a-z_.]+\.delta"/,
  remind(body, note) {
    const { input } = body
    if (typeof input === 'string') return { ...body, input: `${input}\n\n${note}` }
    if (!Array.isArray(input)) return undefined
    return { ...body, input: [...list(input), { type: 'message', role: 'user', content: [{ type: 'input_text', text: note }] }] }
  },
  refuse: openaiError,
}

/** What was read from the cache, and written to it, is part of the whole prompt. */
export function openaiUsage(usage: Json, prompt: string, answer: string, details: string): Usage {
  const all = count(usage[prompt])
  const detail = object(usage[details])
  const cacheRead = Math.min(all, count(detail?.['cached_tokens']))
  const cacheWrite5m = Math.min(all - cacheRead, count(detail?.['cache_write_tokens'] ?? detail?.['cache_creation_tokens']))
  return { input: all - cacheRead - cacheWrite5m, output: count(usage[answer]), cacheWrite5m, cacheWrite1h: 0, cacheRead, webSearches: 0 }
}

export function openaiError(message: string, busy: boolean): ReturnType<ModelShape['refuse']> {
  const code = busy ? 'rate_limit_exceeded' : 'insufficient_quota'
  return jsonError(busy ? 429 : 400, { error: { message, type: busy ? 'requests' : 'insufficient_quota', param: null, code } }, busy)
}
