// Gateway, http: which header fields pass. Requests and responses are rebuilt from these, never copied whole. Pure.
import type { RequestHead } from './head.ts'

/** About one connection, not about the message (RFC 9110 7.6.1). */
const hopByHop = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
]

/** What proxies and frameworks believe about where a request comes from or is meant for; the cell must not have a say (attacks.md PRX-30). */
const claims = [
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'true-client-ip',
  'cf-connecting-ip',
  'client-ip',
  'x-original-url',
  'x-original-host',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-host',
  'x-http-host-override',
  'x-unix-socket',
  'x-envoy-original-path',
]
const claimPrefixes = ['x-forwarded', 'x-anchorhold', 'proxy-']

const rebuilt = ['host', 'content-length', 'expect']
const dropFromRequests: ReadonlySet<string> = new Set([...hopByHop, ...claims, ...rebuilt])

/** Alt-Svc would send the next request elsewhere (RFC 7838). */
const dropFromResponses: ReadonlySet<string> = new Set([...hopByHop, 'alt-svc', 'content-length', 'x-anchorhold'])

/** Flat name, value, name, value …, as sent but for what is dropped. */
export function requestFields(head: RequestHead): string[] {
  const named = namedByConnection(head.headers.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value))
  return head.headers.flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    // Servers read `_` as `-` when they make variables of field names (CGI), so `X_Forwarded_For` is dropped as well.
    const dashed = lower.replaceAll('_', '-')
    const dropped = dropFromRequests.has(dashed) || claimPrefixes.some((prefix) => dashed.startsWith(prefix)) || named.has(lower)
    return dropped ? [] : [name, value]
  })
}

/** The same for a response; `raw` is flat. Undefined when a value has a control character, which would end a line early. */
export function responseFields(raw: readonly string[]): string[] | undefined {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? '', raw[at + 1] ?? ''])
  const named = namedByConnection(pairs.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value))
  const kept = pairs.filter(([name]) => !dropFromResponses.has(name.toLowerCase()) && !named.has(name.toLowerCase()))
  return kept.some(([name, value]) => /[\0-\x08\x0a-\x1f\x7f]/.test(name + value)) ? undefined : kept.flat()
}

function namedByConnection(values: readonly string[]): ReadonlySet<string> {
  return new Set(
    values
      .join(',')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
}
