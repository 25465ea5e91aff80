// Gateway, aws: one request that the cell signed with placeholder keys is signed again with the real ones. The cell's own signature is checked first:
// it shows that what will be signed is what the program inside meant. Used by steps/aws.ts.
import type { Transform } from 'node:stream'
import { timingSafeEqual } from 'node:crypto'
import { splitTarget } from '../../policy/request-path.ts'
import type { Field } from '../steps/step.ts'
import { readSigned, type Signed } from './authorization.ts'
import { resignChunks } from './chunks.ts'
import { canonicalPaths, encode, queryPairs, scopeText, signingKey, signRequest, type Canonical } from './signature.ts'

export interface Keys {
  readonly id: string
  readonly secret: string
  /** Of temporary credentials. */
  readonly token?: string
}

export interface SignedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** The Host field as the server will see it. */
  readonly host: string
  /** Without Host. */
  readonly fields: readonly Field[]
  /** Hex sha-256 of the body; asked only when the request does not carry it. Undefined: too long to be read. */
  readonly bodyHash: () => Promise<string | undefined>
}

export type Resigned =
  | {
      readonly kind: 'resigned'
      readonly path: string
      readonly fields: readonly Field[]
      readonly body?: Transform
      readonly signed: Signed
    }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }

const chunked = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
const literal = /^(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER|STREAMING-AWS4-HMAC-SHA256-PAYLOAD)$/

/** `cell`: the placeholders. Never throws for what the cell sent. */
export async function resign(request: SignedRequest, cell: Keys, real: Keys): Promise<Resigned> {
  const { path: pathname, query: search = '' } = splitTarget(request.path)
  const query = queryPairs(search)
  const paths = canonicalPaths(pathname)
  if (query === undefined || paths === undefined) return refused('bad-signature', 'a malformed escape in the path or query')
  const signed = readSigned(one(request.fields, 'authorization'), query)
  if (signed.place === 'none') return { kind: 'unsigned' }
  if (signed.place === 'bad') return refused('bad-signature', signed.reason)
  if (signed.keyId !== cell.id)
    return refused('foreign-credential', 'the request is signed with a key that is not the one given to this cell')
  const time = signed.place === 'query' ? valueOf(query, 'X-Amz-Date') : (one(request.fields, 'x-amz-date') ?? '')
  if (!/^\d{8}T\d{6}Z$/.test(time) || !time.startsWith(signed.date)) return refused('bad-signature', "no X-Amz-Date of the signature's day")
  const wrongToken = judgeToken(request, signed, query, cell)
  if (wrongToken !== undefined) return wrongToken
  const payload = await payloadOf(request, signed)
  if (payload === undefined) return refused('bad-signature', 'the body is too long to be signed as a whole, and carries no hash of its own')
  if (!literal.test(payload)) return refused('bad-signature', `a kind of payload that is not re-signed`)

  const covered = signedFields([...request.fields, ['host', request.host]], signed)
  if (covered === undefined) return refused('bad-signature', 'a signed header that is not there, or is not passed on')
  const cellKey = signingKey(cell.secret, signed)
  const canonical = (path: string, fields: readonly Field[], pairs: typeof query): Canonical => ({
    method: request.method,
    path,
    query: pairs.filter(([name]) => name !== 'X-Amz-Signature'),
    headers: fields,
    payload,
  })
  const path = paths.find((candidate) => same(signRequest(cellKey, time, signed, canonical(candidate, covered, query)), signed.signature))
  if (path === undefined)
    return refused('bad-signature', 'the signature was not made with the placeholder key, or does not fit this request')

  const realKey = signingKey(real.secret, signed)
  const scope = `${real.id}/${scopeText(signed)}`
  if (signed.place === 'query') {
    const pairs = query.flatMap(([name, value]): [string, string][] => {
      if (name === 'X-Amz-Credential') return [[name, scope]]
      if (name === 'X-Amz-Security-Token') return real.token === undefined ? [] : [[name, real.token]]
      return name === 'X-Amz-Signature' ? [] : [[name, value]]
    })
    const signature = signRequest(realKey, time, signed, canonical(path, covered, pairs))
    const text = [...pairs, ['X-Amz-Signature', signature] as const].map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
    return { kind: 'resigned', path: `${pathname}?${text}`, fields: request.fields, signed }
  }
  const swap = (fields: readonly Field[]): Field[] =>
    fields.map(([name, value]) => [name, name.toLowerCase() === 'x-amz-security-token' ? (real.token ?? value) : value])
  const signature = signRequest(realKey, time, signed, canonical(path, swap(covered), query))
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${signed.headers.join(';')}, Signature=${signature}`
  return {
    kind: 'resigned',
    path: request.path,
    fields: swap(request.fields).map(([name, value]) => [name, name.toLowerCase() === 'authorization' ? authorization : value]),
    signed,
    ...(payload === chunked
      ? {
          body: resignChunks({
            scope: signed,
            time,
            cell: { key: cellKey, seed: signed.signature },
            real: { key: realKey, seed: signature },
          }),
        }
      : {}),
  }
}

/** The session token must be the placeholder where there is one, and absent where there is none. */
function judgeToken(
  request: SignedRequest,
  signed: Signed,
  query: readonly (readonly [string, string])[],
  cell: Keys,
): Resigned | undefined {
  const tokens = [
    ...request.fields.filter(([name]) => name.toLowerCase() === 'x-amz-security-token').map(([, value]) => value),
    ...query.filter(([name]) => name.toLowerCase() === 'x-amz-security-token').map(([, value]) => value),
  ]
  if (tokens.some((token) => token !== cell.token))
    return refused('foreign-credential', 'the session token is not the one given to this cell')
  if (tokens.length > 1) return refused('bad-signature', 'two session tokens')
  if (cell.token !== undefined && tokens.length === 0)
    return refused('bad-signature', 'the request does not carry the session token (AWS_SESSION_TOKEN) that belongs to the key')
  if (signed.place === 'header' && tokens.length > 0 && !signed.headers.includes('x-amz-security-token'))
    return refused('bad-signature', 'the session token is not covered by the signature')
  return undefined
}

async function payloadOf(request: SignedRequest, signed: Signed): Promise<string | undefined> {
  const said = one(request.fields, 'x-amz-content-sha256')
  if (said !== undefined) return said
  if (signed.place === 'query' && signed.service === 's3') return 'UNSIGNED-PAYLOAD'
  return request.bodyHash()
}

/** Name and canonical value of each signed header (values trimmed, inner spaces as one, several joined); undefined where one is missing. */
function signedFields(fields: readonly Field[], signed: Signed): readonly Field[] | undefined {
  const found = signed.headers.map((name): Field | undefined => {
    const values = fields.filter(([candidate]) => candidate.toLowerCase() === name).map(([, value]) => value.trim().replace(/ +/g, ' '))
    return values.length === 0 ? undefined : [name, values.join(',')]
  })
  return found.every((field) => field !== undefined) ? found : undefined
}

function one(fields: readonly Field[], name: string): string | undefined {
  const values = fields.filter(([candidate]) => candidate.toLowerCase() === name)
  return values.length === 1 ? values[0]?.[1] : undefined
}

function valueOf(query: readonly (readonly [string, string])[], name: string): string {
  return query.find(([candidate]) => candidate === name)?.[1] ?? ''
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

function refused(code: string, reason: string): Resigned {
  return { kind: 'refused', code, reason }
}
