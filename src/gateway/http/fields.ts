// Gateway, http: which header fields pass. Requests and responses are rebuilt from these, never copied whole. Pure.
import type { Field } from '../steps/step.ts'

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

/** In a name: what is neither letter, digit nor hyphen. */
const marks = /[^a-z0-9-]/

const rebuilt = ['host', 'content-length', 'expect']
const dropFromRequests: ReadonlySet<string> = new Set([...hopByHop, ...claims, ...rebuilt])

/** Alt-Svc would send the next request elsewhere (RFC 7838). */
const dropFromResponses: ReadonlySet<string> = new Set([...hopByHop, 'alt-svc', 'content-length', 'x-anchorhold'])

/** The end-to-end fields of a request, as sent but for what is dropped. For HTTP/1.1 and HTTP/2 fronts alike. */
export function endToEnd(headers: readonly Field[]): readonly Field[] {
  let named: ReadonlySet<string> | undefined
  for (const [name, value] of headers) if (name.length === 10 && name.toLowerCase() === 'connection') named = namedBy(value, named)
  return headers.filter(([name]) => {
    const lower = name.toLowerCase()
    // Servers read `_`, and some every other mark, as `-` when they make variables of field names (CGI): `X_Forwarded_For` is dropped as well.
    const dashed = marks.test(lower) ? lower.replaceAll(/[^a-z0-9-]/g, '-') : lower
    if (dropFromRequests.has(dashed)) return false
    const first = dashed.charCodeAt(0)
    if ((first === 120 || first === 112) && claimPrefixes.some((prefix) => dashed.startsWith(prefix))) return false
    return named?.has(lower) !== true
  })
}

/** Whether a field of an answer is for the cell; `lower` is its name. What the Connection field names goes as well (upstream/head.ts). */
export function passesBack(lower: string): boolean {
  return !dropFromResponses.has(lower)
}

function namedBy(value: string, before: ReadonlySet<string> | undefined): ReadonlySet<string> {
  const names = value.toLowerCase().split(',')
  return new Set([...(before ?? []), ...names.map((name) => name.trim())])
}
