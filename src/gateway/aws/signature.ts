// Gateway, aws: the arithmetic of Signature Version 4, as AWS publishes it ("Create a signed AWS API request"). Pure.
import { createHash, createHmac } from 'node:crypto'
import { decoded } from '../../policy/request-path.ts'

export interface Scope {
  /** YYYYMMDD */
  readonly date: string
  readonly region: string
  readonly service: string
}

export interface Canonical {
  readonly method: string
  /** Already canonical: see canonicalPaths. */
  readonly path: string
  /** Decoded pairs. */
  readonly query: readonly (readonly [string, string])[]
  /** The signed ones, in the order of SignedHeaders. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Hex, or one of the literals that AWS knows (`UNSIGNED-PAYLOAD`, …). */
  readonly payload: string
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function signingKey(secret: string, { date, region, service }: Scope): Buffer {
  return [date, region, service, 'aws4_request'].reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))
}

/** Hex signature of one request. `time`: YYYYMMDDTHHMMSSZ. */
export function signRequest(key: Buffer, time: string, scope: Scope, canonical: Canonical): string {
  const text = ['AWS4-HMAC-SHA256', time, scopeText(scope), sha256(canonicalText(canonical))].join('\n')
  return hmac(key, text).toString('hex')
}

export function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`
}

export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

export function canonicalText({ method, path, query, headers, payload }: Canonical): string {
  const pairs = query.map(([name, value]) => [encode(name), encode(value)] as const)
  const sorted = pairs.toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
  return [
    method,
    path,
    sorted.map(([name, value]) => `${name}=${value}`).join('&'),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    headers.map(([name]) => name).join(';'),
    payload,
  ].join('\n')
}

/**
 * The paths that a signer may have meant by the path on the wire: S3 encodes it once, most services twice. The one under which the cell's own
 * signature is right is used for the new one as well, so no list of services is needed. Undefined for a path with a malformed escape.
 */
export function canonicalPaths(path: string): readonly string[] | undefined {
  const once: string[] = []
  for (const segment of path.split('/')) {
    const plain = decoded(segment)
    if (plain === undefined) return undefined
    once.push(encode(plain))
  }
  const twice = path.split('/').map(encode)
  return [...new Set([once.join('/'), twice.join('/')])]
}

/** Decoded pairs in the order sent; a name without `=` has an empty value. Undefined for a malformed escape. `+` is a plus sign here. */
export function queryPairs(query: string): readonly (readonly [string, string])[] | undefined {
  const pairs: (readonly [string, string])[] = []
  for (const part of query === '' ? [] : query.split('&')) {
    const at = part.indexOf('=')
    const name = decoded(at < 0 ? part : part.slice(0, at))
    const value = at < 0 ? '' : decoded(part.slice(at + 1))
    if (name === undefined || value === undefined) return undefined
    pairs.push([name, value])
  }
  return pairs
}

/** RFC 3986 unreserved stay, everything else becomes %XX of its UTF-8 bytes. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
