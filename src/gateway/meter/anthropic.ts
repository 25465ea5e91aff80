// Gateway, meter: Anthropic's Messages API, streamed and not, and its batches (docs.claude.com/en/api/messages).
import type { Usage } from '../../usage/tokens.ts'
import { bound, count, jsonError, list, object, text, type Json, type ModelShape, type RequestFacts, type Told } from './shape.ts'

export const anthropicMessages: ModelShape = {
  name: 'anthropic-messages',
  kind(path) {
    if (/\/v1\/messages\/batches\/?$/.test(path)) return 'batch'
    return /\/v1\/messages\/?$/.test(path) ? 'answer' : undefined
  },
  facts(body, kind) {
    if (kind === 'answer') return one(body)
    const all = list(body['requests']).map((each) => one(object(object(each)?.['params']) ?? {}))
    if (all.length === 0 || all.includes(undefined)) return undefined
    return all.flatMap((each) => (each ?? []).map((facts) => ({ ...facts, modifiers: { ...facts.modifiers, batch: true } })))
  },
  read(event, told) {
    const { type } = event
    const message = type === 'message_start' ? object(event['message']) : type === 'message' ? event : undefined
    if (message !== undefined) {
      const model = text(message['model'])
      if (model !== undefined) told.model = model
      take(object(message['usage']), told)
    }
    if (type === 'message_delta') take(object(event['usage']), told)
    if (type === 'message_stop' || type === 'message') told.complete = told.usage !== undefined
    if (type === 'error') told.error = text(object(event['error'])?.['type']) ?? 'error'
  },
  firstToken: /"content_block_delta"/,
  remind(body, note) {
    const messages = list(body['messages'])
    const last = object(messages.at(-1))
    const block = { type: 'text', text: note }
    if (last === undefined) return undefined
    if (last['role'] !== 'user') return undefined
    const content = typeof last['content'] === 'string' ? [{ type: 'text', text: last['content'] }] : list(last['content'])
    return { ...body, messages: [...messages.slice(0, -1), { ...last, content: [...content, block] }] }
  },
  refuse(message, busy) {
    const type = busy ? 'rate_limit_error' : 'invalid_request_error'
    return jsonError(busy ? 429 : 400, { type: 'error', error: { type, message } }, busy)
  },
}

function one(body: Json): readonly RequestFacts[] | undefined {
  const model = text(body['model'])
  if (model === undefined) return undefined
  return [
    {
      model,
      maxTokens: bound(body['max_tokens']),
      streamed: body['stream'] === true,
      tools: list(body['tools']).length > 0,
      modifiers: { ...(body['speed'] === 'fast' ? { fast: true } : {}), ...(body['inference_geo'] === 'us' ? { usOnly: true } : {}) },
      longCache: /"ttl":"1h"/.test(JSON.stringify([body['cache_control'], body['system'], body['tools'], body['messages']])),
    },
  ]
}

/** Each event says what it knows of the whole: a later word replaces the earlier, what it leaves out stays. */
function take(usage: Json | undefined, told: Told): void {
  if (usage === undefined) return
  const before = told.usage
  const said = (name: string, old: number | undefined): number =>
    usage[name] === undefined || usage[name] === null ? (old ?? 0) : count(usage[name])
  const written = object(usage['cache_creation'])
  const total = said('cache_creation_input_tokens', before === undefined ? 0 : before.cacheWrite5m + before.cacheWrite1h)
  const hour = Math.min(total, written === undefined ? (before?.cacheWrite1h ?? 0) : count(written['ephemeral_1h_input_tokens']))
  const searches = object(usage['server_tool_use'])?.['web_search_requests']
  const next: Usage = {
    input: said('input_tokens', before?.input),
    output: said('output_tokens', before?.output),
    cacheWrite5m: total - hour,
    cacheWrite1h: hour,
    cacheRead: said('cache_read_input_tokens', before?.cacheRead),
    webSearches: searches === undefined ? (before?.webSearches ?? 0) : count(searches),
  }
  told.usage = next
  told.modifiers = {
    ...told.modifiers,
    ...(usage['speed'] === 'fast' ? { fast: true } : {}),
    ...(usage['inference_geo'] === 'us' ? { usOnly: true } : {}),
    ...(usage['service_tier'] === 'batch' ? { batch: true } : {}),
  }
}
