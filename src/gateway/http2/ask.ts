// Gateway, http2: what a stream's header block asks for (RFC 9113 8.3). As strict as HTTP/1.1 is read: what two servers read in two ways is refused. Pure.
import { splitAuthority } from '../judging.ts'
import type { Field } from '../steps/step.ts'

export type StreamAsk =
  | {
      readonly kind: 'request'
      readonly method: string
      readonly host: string
      readonly port: number
      readonly path: string
      /** Regular fields in the order sent, cookies joined to one. */
      readonly fields: readonly Field[]
      /** Undefined where the block says none. */
      readonly length: number | undefined
      readonly expects: boolean
    }
  | { readonly kind: 'bad'; readonly status: 400 | 405 | 417 | 431; readonly reason: string }

const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const method = /^[!#$%&'*+\-.^_`|~0-9A-Z]+$/
/** The same as in HTTP/1.1 (http/head.ts): visible ASCII but for `#` and `\`. */
const path = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
const pseudo = new Set([':method', ':scheme', ':authority', ':path'])
/** About a connection, which HTTP/2 knows in other ways (RFC 9113 8.2.2). */
const ofConnection = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'http2-settings'])
/** Fields of which there may be one at most. */
const single = new Set(['host', 'content-length', 'authorization', 'proxy-authorization', 'content-type', 'expect', 'te'])

/** `flat`: name, value, name, value … as they came. Never throws. */
export function readStreamAsk(flat: readonly string[], maxHeaders: number): StreamAsk {
  if (flat.length / 2 > maxHeaders) return { kind: 'bad', status: 431, reason: `more than ${maxHeaders} header fields` }
  const asked = new Map<string, string>()
  const fields: Field[] = []
  const cookies: string[] = []
  const seen = new Set<string>()
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [name = '', value = ''] = flat.slice(at, at + 2)
    if (!fieldValue.test(value)) return bad('a malformed header field')
    if (name.startsWith(':')) {
      if (!pseudo.has(name) || asked.has(name) || seen.size > 0) return bad('an odd pseudo-header field')
      asked.set(name, value)
      continue
    }
    if (!token.test(name) || value !== value.trim()) return bad('a malformed header field')
    if (ofConnection.has(name)) return bad(`the field ${name}, which HTTP/2 does not have`)
    if (single.has(name) && seen.has(name)) return bad(`two ${name} fields`)
    seen.add(name)
    if (name === 'te' && value !== 'trailers') return bad('the field te with another word than trailers')
    if (name === 'cookie') cookies.push(value)
    else fields.push([name, value])
  }
  if (cookies.length > 0) fields.push(['cookie', cookies.join('; ')]) // RFC 9113 8.2.3
  return readPseudo(asked, fields)
}

function readPseudo(asked: ReadonlyMap<string, string>, fields: readonly Field[]): StreamAsk {
  const said = (name: string): string | undefined => fields.find(([candidate]) => candidate === name)?.[1]
  const verb = asked.get(':method') ?? ''
  if (!method.test(verb)) return bad('a malformed method, or none')
  if (verb === 'CONNECT') return { kind: 'bad', status: 405, reason: 'CONNECT is for the proxy, not for a host' }
  if (verb === 'TRACE' || verb === 'TRACK')
    return { kind: 'bad', status: 405, reason: `${verb} is not passed on: it echoes what was added on the way` }
  if (asked.get(':scheme') !== 'https') return bad('another scheme than https')
  const target = asked.get(':path') ?? ''
  if (!path.test(target)) return bad('a malformed path, or none')
  const host = said('host')
  const authority = asked.get(':authority') ?? host
  if (authority === undefined) return bad('no authority')
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return bad('the Host field names another host than the authority')
  const place = authority.includes('@') ? undefined : splitAuthority(authority)
  if (place === undefined) return bad('a malformed authority')
  const length = said('content-length')
  if (length !== undefined && !/^(?:0|[1-9][0-9]{0,14})$/.test(length)) return bad('a malformed content-length')
  const expect = said('expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return { kind: 'bad', status: 417, reason: 'an expectation other than 100-continue' }
  return {
    kind: 'request',
    method: verb,
    host: place.host,
    port: place.port ?? 443,
    path: target,
    fields,
    length: length === undefined ? undefined : Number(length),
    expects: expect !== undefined,
  }
}

function bad(reason: string): StreamAsk {
  return { kind: 'bad', status: 400, reason }
}
