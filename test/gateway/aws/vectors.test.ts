// The published vectors of Signature Version 4: AWS's test suite (service "service") and the examples of the S3 documentation.
import { expect, test } from 'vitest'
import { resignChunks } from '../../../src/gateway/aws/chunks.ts'
import { canonicalPaths, queryPairs, sha256, signingKey, signRequest, type Scope } from '../../../src/gateway/aws/signature.ts'

const suite = { secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', time: '20150830T123600Z' }
const scope: Scope = { date: '20150830', region: 'us-east-1', service: 'service' }
const empty = sha256('')
const plain = [
  ['host', 'example.amazonaws.com'],
  ['x-amz-date', suite.time],
] as const

test.each([
  { name: 'get-vanilla', query: '', signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  {
    name: 'get-vanilla-query-order-key-case',
    query: 'Param2=value2&Param1=value1',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
])('the suite: $name', ({ query, signature }) => {
  const canonical = { method: 'GET', path: '/', query: queryPairs(query) ?? [], headers: plain, payload: empty }
  expect(signRequest(signingKey(suite.secret, scope), suite.time, scope, canonical)).toBe(signature)
})

test('the suite: post-x-www-form-urlencoded', () => {
  const headers = [['content-type', 'application/x-www-form-urlencoded'], ...plain] as const
  const canonical = { method: 'POST', path: '/', query: [], headers, payload: sha256('Param1=value1') }
  const signature = signRequest(signingKey(suite.secret, scope), suite.time, scope, canonical)
  expect(signature).toBe('ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a')
})

const s3 = { date: '20130524', region: 'us-east-1', service: 's3' } as const
const s3Time = '20130524T000000Z'
/** The documentation's key differs from the suite's by one character. */
const s3Key = signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', s3)

test('S3: a GET with a range', () => {
  const headers = [
    ['host', 'examplebucket.s3.amazonaws.com'],
    ['range', 'bytes=0-9'],
    ['x-amz-content-sha256', empty],
    ['x-amz-date', s3Time],
  ] as const
  const signature = signRequest(s3Key, s3Time, s3, { method: 'GET', path: '/test.txt', query: [], headers, payload: empty })
  expect(signature).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
})

test('S3: a PUT of a name with a dollar sign', () => {
  const payload = sha256('Welcome to Amazon S3.')
  const headers = [
    ['date', 'Fri, 24 May 2013 00:00:00 GMT'],
    ['host', 'examplebucket.s3.amazonaws.com'],
    ['x-amz-content-sha256', payload],
    ['x-amz-date', s3Time],
    ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
  ] as const
  const [path = ''] = canonicalPaths('/test$file.text') ?? []
  const signature = signRequest(s3Key, s3Time, s3, { method: 'PUT', path, query: [], headers, payload })
  expect(signature).toBe('98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd')
})

test('S3: a presigned GET', () => {
  const query = queryPairs(
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host',
  )
  const headers = [['host', 'examplebucket.s3.amazonaws.com']] as const
  const canonical = { method: 'GET', path: '/test.txt', query: query ?? [], headers, payload: 'UNSIGNED-PAYLOAD' }
  expect(signRequest(s3Key, s3Time, s3, canonical)).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404')
})

test('S3: a body in signed chunks', async () => {
  const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'
  const signatures = [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ]
  const body = [65_536, 1_024, 0]
    .map((size, at) => `${size.toString(16)};chunk-signature=${signatures[at]}\r\n${'a'.repeat(size)}\r\n`)
    .join('')
  // The published key on both sides: what comes out must be what went in, and every published signature was checked on the way.
  const side = { key: s3Key, seed }
  const stream = resignChunks({ scope: s3, time: s3Time, cell: side, real: side })
  for (let at = 0; at < body.length; at += 7_919) stream.write(body.slice(at, at + 7_919))
  stream.end()
  expect(Buffer.concat(await stream.toArray()).toString()).toBe(body)
})
