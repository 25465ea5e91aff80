// Token figures of the stand-in: an estimate that is the same for the same requests in the same order, prompt caching
// included (what lies before a `cache_control` mark is written once and read afterwards).
import { createHash } from 'node:crypto'
import type { Usage } from './script.ts'

/** Prefixes seen so far, each with its size in tokens. One per stand-in. */
export type PromptCache = Map<string, number>

/** About four bytes a token, at least one. */
export function tokensIn(text: string): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(text) / 4))
}

/** Input side of a request's usage; marks the request's prefixes as cached. */
export function inputUsage(body: Readonly<Record<string, unknown>>, cache: PromptCache): Omit<Usage, 'output'> {
  const hash = createHash('sha256')
  let total = 0
  let marked = { tokens: 0, hour: false }
  let cacheRead = 0
  const fresh: [string, number][] = []
  for (const part of parts(body)) {
    const text = JSON.stringify(part, (key, value: unknown) => (key === 'cache_control' ? undefined : value))
    hash.update(text)
    total += tokensIn(text)
    const mark = markOf(part)
    if (mark === undefined) continue
    const prefix = hash.copy().digest('hex')
    marked = { tokens: total, hour: mark === '1h' }
    const known = cache.get(prefix)
    if (known === undefined) fresh.push([prefix, total])
    else cacheRead = known
  }
  for (const [prefix, tokens] of fresh) cache.set(prefix, tokens)
  const written = Math.max(0, marked.tokens - cacheRead)
  return {
    input: Math.max(0, total - Math.max(marked.tokens, cacheRead)),
    cacheRead,
    cacheWrite5m: marked.hour ? 0 : written,
    cacheWrite1h: marked.hour ? written : 0,
  }
}

/** Everything that is billed as input, in the API's own order. */
function* parts(body: Readonly<Record<string, unknown>>): Generator {
  yield* listed(body['tools'])
  yield* listed(body['system'])
  for (const message of listed(body['messages'])) {
    if (typeof message === 'object' && message !== null && 'content' in message) yield* listed(message.content)
  }
}

function listed(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

function markOf(part: unknown): '5m' | '1h' | undefined {
  if (typeof part !== 'object' || part === null || !('cache_control' in part)) return undefined
  const control = part.cache_control
  return typeof control === 'object' && control !== null && 'ttl' in control && control.ttl === '1h' ? '1h' : '5m'
}

/** The API's own spelling. */
export function usageObject(usage: Usage): Readonly<Record<string, unknown>> {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite5m, ephemeral_1h_input_tokens: usage.cacheWrite1h },
    output_tokens: usage.output,
    service_tier: 'standard',
  }
}
