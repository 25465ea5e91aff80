// Gateway, http: what a request head asks for, and how its body is framed. Everything that two parsers could read in two ways is refused. Pure.
import { splitAuthority } from '../judging.ts'
import { valuesOf, type RequestHead } from './head.ts'

export type Framing = { readonly kind: 'none' } | { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' }

export type Ask =
  | {
      readonly kind: 'request'
      readonly host: string
      readonly port: number
      readonly path: string
      readonly framing: Framing
      readonly close: boolean
      readonly expects: boolean
      readonly websocket: boolean
    }
  | { readonly kind: 'connect'; readonly host: string; readonly port: number }
  | { readonly kind: 'bad'; readonly status: 400 | 405 | 417 | 501; readonly reason: string }

/** Fields of which there may be one at most (a second one is read by one parser and not by the next). */
const single: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'proxy-authorization',
  'content-type',
  'expect',
  'upgrade',
  'sec-websocket-key',
])

/** `role`: 'proxy' takes absolute-form and CONNECT, 'origin' takes origin-form, and absolute-form where it agrees with Host (RFC 9112 3.2). `usualPort`: 443 where TLS was ended. */
export function readAsk(head: RequestHead, role: 'proxy' | 'origin', usualPort: 80 | 443 = 80): Ask {
  const twice = givenTwice(head)
  if (twice !== undefined) return bad(`two ${twice} fields`)
  const [hostField] = valuesOf(head, 'host')
  if (hostField === undefined) return bad('no Host field')
  const own = splitAuthority(hostField)
  if (own === undefined) return bad('a malformed Host field')
  const framing = readFraming(head)
  if (framing.kind === 'bad') return framing
  if (head.method === 'CONNECT') return readConnect(head, role, own, framing)
  if (head.method === 'TRACE' || head.method === 'TRACK')
    return { kind: 'bad', status: 405, reason: `${head.method} is not passed on: it echoes what was added on the way` }
  if (head.method === 'PRI') return bad('HTTP/2 without TLS is not spoken here')
  const form = readForm(head.target, role, own, usualPort)
  if (form.kind === 'bad') return form
  const [expect] = valuesOf(head, 'expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return { kind: 'bad', status: 417, reason: 'an expectation other than 100-continue' }
  const connection = valuesOf(head, 'connection')
    .concat(valuesOf(head, 'proxy-connection'))
    .join(',')
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/)
  const websocket = connection.includes('upgrade') && valuesOf(head, 'upgrade')[0]?.toLowerCase() === 'websocket'
  if (websocket && (head.method !== 'GET' || head.minor === 0 || framing.kind !== 'none')) return bad('a malformed WebSocket request')
  const close = connection.includes('close') || (head.minor === 0 && !connection.includes('keep-alive'))
  const { host, port, path } = form
  return {
    kind: 'request',
    host,
    port,
    path,
    framing,
    close,
    expects: expect !== undefined && framing.kind !== 'none' && head.minor === 1,
    websocket,
  }
}

function givenTwice(head: RequestHead): string | undefined {
  const seen: string[] = []
  for (const [name] of head.headers) {
    const lower = name.toLowerCase()
    if (!single.has(lower)) continue
    if (seen.includes(lower)) return lower
    seen.push(lower)
  }
  return undefined
}

type Authority = { readonly host: string; readonly port: number | undefined }
type Bad = Ask & { kind: 'bad' }

function bad(reason: string): Bad {
  return { kind: 'bad', status: 400, reason }
}

function readConnect(head: RequestHead, role: 'proxy' | 'origin', own: Authority, framing: Framing): Ask {
  if (role !== 'proxy') return { kind: 'bad', status: 405, reason: 'CONNECT is for the proxy, not for a host' }
  if (framing.kind !== 'none') return bad('CONNECT with a body')
  const authority = splitAuthority(head.target)
  if (authority?.port === undefined) return bad('CONNECT needs HOST:PORT')
  // Some clients leave the port out of CONNECT's Host field; the name must agree all the same.
  if (!same(own.host, authority.host) || (own.port ?? authority.port) !== authority.port)
    return bad('the Host field names another host than CONNECT')
  return { kind: 'connect', host: authority.host, port: authority.port }
}

function readForm(
  target: string,
  role: 'proxy' | 'origin',
  own: Authority,
  usualPort: 80 | 443,
): { kind: 'form'; host: string; port: number; path: string } | Bad {
  const port = own.port ?? usualPort
  if (target.startsWith('/'))
    return role === 'proxy'
      ? bad('a proxy needs the whole address: http://HOST/PATH')
      : { kind: 'form', host: own.host, port, path: target }
  if (target === '*') return bad('OPTIONS * is not passed on')
  const [, scheme = '', authorityText = '', path = ''] = /^(https?):\/\/([^/?]*)(.*)$/s.exec(target) ?? []
  if (authorityText === '' || scheme !== (usualPort === 443 ? 'https' : 'http'))
    return bad(
      /^https:/i.test(target) ? 'https addresses go through CONNECT' : 'a request target that is neither a path nor http://HOST/PATH',
    )
  if (authorityText.includes('@')) return bad('user information in the address')
  const authority = splitAuthority(authorityText)
  if (authority === undefined) return bad('a malformed host in the address')
  if (!same(authority.host, own.host) || (authority.port ?? usualPort) !== port)
    return bad('the Host field names another host than the address')
  return { kind: 'form', host: authority.host, port, path: path.startsWith('/') ? path : `/${path}` }
}

/** The same text but for case and one trailing dot; the judge makes it canonical later. */
function same(a: string, b: string): boolean {
  return a.toLowerCase().replace(/\.$/, '') === b.toLowerCase().replace(/\.$/, '')
}

function readFraming(head: RequestHead): Framing | Bad {
  const [length] = valuesOf(head, 'content-length')
  const [encoding] = valuesOf(head, 'transfer-encoding')
  if (encoding !== undefined) {
    if (length !== undefined) return bad('both Content-Length and Transfer-Encoding')
    if (head.minor === 0) return bad('Transfer-Encoding in HTTP/1.0')
    return encoding === 'chunked' ? { kind: 'chunked' } : bad('a Transfer-Encoding other than chunked')
  }
  if (length === undefined) return { kind: 'none' }
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(length)) return bad('a malformed Content-Length')
  return length === '0' ? { kind: 'length', bytes: 0 } : { kind: 'length', bytes: Number(length) }
}
