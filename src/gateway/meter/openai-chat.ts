// Gateway, meter: OpenAI's Chat Completions, which many others speak too (platform.openai.com/docs/api-reference/chat).
import { openaiError, openaiUsage } from './openai-responses.ts'
import { bound, list, object, text, type ModelShape } from './shape.ts'

export const openaiChat: ModelShape = {
  name: 'openai-chat',
  kind: (path) => (/\/chat\/completions\/?$/.test(path) ? 'answer' : undefined),
  facts(body) {
    const model = text(body['model'])
    if (model === undefined) return undefined
    const each = bound(body['max_completion_tokens']) ?? bound(body['max_tokens'])
    const maxTokens = each === undefined ? undefined : each * Math.max(1, bound(body['n']) ?? 1)
    return [{ model, maxTokens, streamed: body['stream'] === true, tools: list(body['tools']).length > 0, modifiers: {} }]
  },
  read(event, told) {
    const model = text(event['model'])
    if (model !== undefined) told.model = model
    if (object(event['error']) !== undefined) told.error = text(object(event['error'])?.['code']) ?? 'error'
    const usage = object(event['usage'])
    if (usage === undefined) return
    told.usage = openaiUsage(usage, 'prompt_tokens', 'completion_tokens', 'prompt_tokens_details')
    told.complete = true
  },
  firstToken: /"delta":\s?\{[^}]*"(?:content|reasoning_content|refusal|tool_calls)":/,
  ask(body) {
    // Streams tell no usage unless they are asked.
    if (body['stream'] !== true) return undefined
    const options = object(body['stream_options'])
    return options?.['include_usage'] === true ? undefined : { ...body, stream_options: { ...options, include_usage: true } }
  },
  remind(body, note) {
    const messages = list(body['messages'])
    return messages.length === 0 ? undefined : { ...body, messages: [...messages, { role: 'user', content: note }] }
  },
  refuse: openaiError,
}
