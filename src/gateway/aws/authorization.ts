// Gateway, aws: what an AWS signature says of itself, in the header or in the query (Signature Version 4). Strict and pure; resign.ts reads on.

/** Where a signature stands and what it covers. */
export interface Signed {
  readonly place: 'header' | 'query'
  readonly keyId: string
  /** YYYYMMDD */
  readonly date: string
  readonly region: string
  readonly service: string
  /** Lower case, in the order given. */
  readonly headers: readonly string[]
  /** 64 hex digits. */
  readonly signature: string
}

export type Reading = Signed | { readonly place: 'none' } | { readonly place: 'bad'; readonly reason: string }

const credential = /^([A-Za-z0-9_]{8,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request$/
const headerNames = /^[a-z0-9-]+(?:;[a-z0-9-]+)*$/

/** `authorization`: the field's value, if any; `query`: decoded pairs of the request's query. */
export function readSigned(authorization: string | undefined, query: readonly (readonly [string, string])[]): Reading {
  const asked = query.filter(([name]) => name.toLowerCase().startsWith('x-amz-'))
  const inQuery = asked.some(([name]) => ['x-amz-algorithm', 'x-amz-credential', 'x-amz-signature'].includes(name.toLowerCase()))
  if (authorization !== undefined && inQuery) return bad('a signature in the header and one in the query')
  if (inQuery) return readQuery(asked)
  if (authorization === undefined) return { place: 'none' }
  const match = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/.exec(authorization)
  if (match === null)
    return bad(
      authorization.startsWith('AWS4-ECDSA')
        ? 'the signature is of Version 4A (for several regions at once), which is not re-signed'
        : 'the Authorization field is no AWS signature of Version 4',
    )
  return assemble('header', match[1] ?? '', match[2] ?? '', match[3] ?? '')
}

function readQuery(asked: readonly (readonly [string, string])[]): Reading {
  const one = (name: string): string | undefined => {
    const found = asked.filter(([candidate]) => candidate === name)
    return found.length === 1 ? found[0]?.[1] : undefined
  }
  if (new Set(asked.map(([name]) => name.toLowerCase())).size !== asked.length) return bad('an X-Amz parameter that is there twice')
  if (one('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return bad('the signature in the query is not of Version 4')
  const signature = one('X-Amz-Signature') ?? ''
  if (!/^[0-9a-f]{64}$/.test(signature)) return bad('a malformed signature')
  return assemble('query', one('X-Amz-Credential') ?? '', one('X-Amz-SignedHeaders') ?? '', signature)
}

function assemble(place: Signed['place'], scope: string, names: string, signature: string): Reading {
  const parts = credential.exec(scope)
  if (parts === null) return bad('a malformed credential scope')
  if (!headerNames.test(names)) return bad('a malformed list of signed headers')
  const headers = names.split(';')
  if (!headers.includes('host')) return bad('the signature does not cover the host')
  if (new Set(headers).size !== headers.length) return bad('a signed header that is listed twice')
  const [, keyId = '', date = '', region = '', service = ''] = parts
  return { place, keyId, date, region, service, headers, signature }
}

function bad(reason: string): Reading {
  return { place: 'bad', reason }
}
