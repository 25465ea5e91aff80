// A request signed inside with placeholders leaves signed with the key: checked by a verifier of its own, as AWS would (attacks.md SEC-25).
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { resign, type Keys, type SignedRequest } from '../../../src/gateway/aws/resign.ts'
import type { Field } from '../../../src/gateway/steps/step.ts'

const cell: Keys = { id: 'AKIAPLACEHOLDER23456', secret: 'placeholderplaceholderplaceholder0000000' }
const real: Keys = { id: 'AKIAREALREALREAL2345', secret: 'realrealrealrealrealrealrealreal00000000' }
const time = '20261123T120000Z'
const scope = '20261123/eu-central-1/s3/aws4_request'
const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

/** Written from AWS's description, apart from the code under test. `headers`: lower case, sorted. */
function signature(
  secret: string,
  method: string,
  path: string,
  query: string,
  headers: readonly Field[],
  payload: string,
  service = 's3',
): string {
  const names = headers.map(([name]) => name).join(';')
  const canonical = [method, path, query, ...headers.map(([name, value]) => `${name}:${value}`), '', names, payload].join('\n')
  const ownScope = scope.replace('/s3/', `/${service}/`)
  let key: Buffer = Buffer.from(`AWS4${secret}`)
  for (const part of ownScope.split('/')) key = createHmac('sha256', key).update(part).digest()
  return createHmac('sha256', key)
    .update(['AWS4-HMAC-SHA256', time, ownScope, sha(canonical)].join('\n'))
    .digest('hex')
}

interface Change {
  readonly keys?: Keys
  readonly body?: string
  readonly extra?: readonly Field[]
}

function signedPut({ keys = cell, body = 'hello', extra = [] }: Change = {}): SignedRequest {
  const covered: Field[] = [
    ['host', 'bucket.s3.test'],
    ['x-amz-content-sha256', sha(body)],
    ['x-amz-date', time],
    ...(keys.token === undefined ? [] : ([['x-amz-security-token', keys.token]] as const)),
  ]
  const made = signature(keys.secret, 'PUT', '/a%20b/c%2Bd', 'acl=&x=1%2F2', covered, sha(body))
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.id}/${scope}, SignedHeaders=${covered.map(([name]) => name).join(';')}, Signature=${made}`
  return {
    method: 'PUT',
    path: '/a%20b/c%2Bd?x=1%2F2&acl',
    host: 'bucket.s3.test',
    fields: [...covered.slice(1), ['Authorization', authorization], ...extra],
    bodyHash: async () => sha(body),
  }
}

function field(fields: readonly Field[], name: string): string | undefined {
  return fields.find(([candidate]) => candidate.toLowerCase() === name)?.[1]
}

test('the header form is signed anew over the same headers', async () => {
  const made = await resign(signedPut(), cell, real)
  if (made.kind !== 'resigned') throw new Error(made.kind)
  const expected = signature(
    real.secret,
    'PUT',
    '/a%20b/c%2Bd',
    'acl=&x=1%2F2',
    [
      ['host', 'bucket.s3.test'],
      ['x-amz-content-sha256', sha('hello')],
      ['x-amz-date', time],
    ],
    sha('hello'),
  )
  expect(field(made.fields, 'authorization')).toBe(
    `AWS4-HMAC-SHA256 Credential=${real.id}/${scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${expected}`,
  )
  expect(JSON.stringify(made)).not.toContain(real.secret)
  expect(JSON.stringify(made.fields)).not.toContain(cell.id)
})

test('the session token is put in, and covered', async () => {
  const inside = { ...cell, token: 'placeholder-token-placeholder' }
  const outside = { ...real, token: 'real-token-real-token-real-to' }
  const made = await resign(signedPut({ keys: inside }), inside, outside)
  if (made.kind !== 'resigned') throw new Error(JSON.stringify(made))
  expect(field(made.fields, 'x-amz-security-token')).toBe(outside.token)
  const expected = signature(
    real.secret,
    'PUT',
    '/a%20b/c%2Bd',
    'acl=&x=1%2F2',
    [
      ['host', 'bucket.s3.test'],
      ['x-amz-content-sha256', sha('hello')],
      ['x-amz-date', time],
      ['x-amz-security-token', outside.token],
    ],
    sha('hello'),
  )
  expect(field(made.fields, 'authorization')).toContain(`Signature=${expected}`)
})

test('a presigned query is signed anew', async () => {
  const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(`${cell.id}/${scope}`)}&X-Amz-Date=${time}&X-Amz-Expires=60&X-Amz-SignedHeaders=host`
  const host: Field = ['host', 'bucket.s3.test']
  const made = await resign(
    {
      method: 'GET',
      path: `/key?${query}&X-Amz-Signature=${signature(cell.secret, 'GET', '/key', query, [host], 'UNSIGNED-PAYLOAD')}`,
      host: 'bucket.s3.test',
      fields: [],
      bodyHash: async () => undefined,
    },
    cell,
    real,
  )
  if (made.kind !== 'resigned') throw new Error(JSON.stringify(made))
  const ours = query.replace(cell.id, real.id)
  expect(made.path).toBe(`/key?${ours}&X-Amz-Signature=${signature(real.secret, 'GET', '/key', ours, [host], 'UNSIGNED-PAYLOAD')}`)
})

test('a service that encodes its path twice, and a body that carries no hash', async () => {
  const covered: Field[] = [
    ['host', 'bucket.s3.test'],
    ['x-amz-date', time],
  ]
  const at = (secret: string): string => signature(secret, 'POST', '/a%2520b', '', covered, sha('body'), 'lambda')
  const made = await resign(
    {
      method: 'POST',
      path: '/a%20b',
      host: 'bucket.s3.test',
      fields: [
        ['x-amz-date', time],
        [
          'authorization',
          `AWS4-HMAC-SHA256 Credential=${cell.id}/${scope.replace('/s3/', '/lambda/')}, SignedHeaders=host;x-amz-date, Signature=${at(cell.secret)}`,
        ],
      ],
      bodyHash: async () => sha('body'),
    },
    cell,
    real,
  )
  if (made.kind !== 'resigned') throw new Error(JSON.stringify(made))
  expect(field(made.fields, 'authorization')).toContain(`Signature=${at(real.secret)}`)
})

describe('refused', () => {
  const other: Keys = { id: 'AKIAATTACKERATTACKER', secret: 'attackerattackerattackerattacker00000000' }
  test.each([
    { name: "somebody else's key", request: signedPut({ keys: other }), code: 'foreign-credential' },
    { name: "the placeholder's id with another secret", request: signedPut({ keys: { ...other, id: cell.id } }), code: 'bad-signature' },
    {
      name: "somebody else's session token",
      request: signedPut({ keys: { ...cell, token: 'attackers-token' } }),
      code: 'foreign-credential',
    },
    { name: 'a path that was changed after signing', request: { ...signedPut(), path: '/other' }, code: 'bad-signature' },
    { name: 'a method that was changed', request: { ...signedPut(), method: 'DELETE' }, code: 'bad-signature' },
    { name: 'a host that was changed', request: { ...signedPut(), host: 'other.s3.test' }, code: 'bad-signature' },
    {
      name: 'a Bearer token',
      request: { ...signedPut(), fields: [['Authorization', 'Bearer attacker-attacker']] as const },
      code: 'bad-signature',
    },
    {
      name: 'a signature in the query beside the one in the header',
      request: { ...signedPut(), path: '/a%20b/c%2Bd?X-Amz-Signature=0' },
      code: 'bad-signature',
    },
    { name: 'a malformed escape', request: { ...signedPut(), path: '/%zz' }, code: 'bad-signature' },
  ])('$name', async ({ request, code }) => {
    expect(await resign(request, cell, real)).toMatchObject({ kind: 'refused', code })
  })

  test('nothing is done to a request without a signature', async () => {
    expect(await resign({ ...signedPut(), fields: [] }, cell, real)).toEqual({ kind: 'unsigned' })
  })
})
