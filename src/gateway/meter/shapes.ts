// Gateway, meter: the list of shapes, and which paths of a model's host cost nothing.
import { anthropicMessages } from './anthropic.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'
import type { ModelShape } from './shape.ts'

const shapes: readonly ModelShape[] = [anthropicMessages, openaiResponses, openaiChat]

export interface ModelRequest {
  readonly shape: ModelShape
  readonly kind: 'answer' | 'batch'
}

/** By its method and path (query included); undefined where no shape knows it. */
export function modelRequest(method: string, path: string): ModelRequest | undefined {
  if (method !== 'POST') return undefined
  const [bare = ''] = path.split('?', 1)
  for (const shape of shapes) {
    const kind = shape.kind(plain(bare))
    if (kind !== undefined) return { shape, kind }
  }
  return undefined
}

/** `/v1//messages` and `/v1/%6dessages` are the same to some servers. */
function plain(path: string): string {
  const decoded = path.replace(/%([0-7][0-9a-f])/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return decoded.replace(/\/+/g, '/')
}

const free =
  /\/v1\/(?:messages\/count_tokens|responses\/(?:input_tokens|[^/]+\/cancel)|messages\/batches\/[^/]+\/cancel|files|uploads|models|skills|oauth|organizations)(?:\/|$)/

/** Whether a request to a model's host might cost something that no shape can read (another API of the same host). */
export function mayCost(method: string, path: string): boolean {
  const [bare = ''] = path.split('?', 1)
  return method === 'POST' && /\/v\d+[a-z]*\//.test(plain(bare)) && !free.test(plain(bare))
}
