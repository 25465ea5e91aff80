// PRX-19, PRX-22, PRX-25: HTTP/2 by hand inside ended TLS: fields that no library would send. The server, which is spoken to over HTTP/1.1, reads
// what was judged, or nothing.
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, afterEach, expect, it } from 'vitest'
import { rawHttp2, settled, type RawRequest } from '../../support/raw-http2.ts'
import { readStrictly } from '../../support/strict-http.ts'
import { endedRig, plainRoute } from '../fixtures/ended.ts'
import { allow, cleanUp } from '../fixtures/rig.ts'
import { corpus, fuzzSeconds, keeping, saveFound } from './corpus.ts'

afterEach(cleanUp)
afterAll(saveFound)

const pick = (...list: string[]): fc.Arbitrary<string> => fc.constantFrom(...list)
const mostly = (usual: string, ...odd: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: pick(...odd) })
const smuggled = '/ok/a HTTP/1.1\r\nHost: good.test\r\n\r\nGET /secret HTTP/1.1\r\nX: y'
const pair = fc.tuple(
  pick(
    'x',
    'X',
    'host',
    'content-length',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'te',
    'upgrade',
    'proxy-connection',
    ':path',
    ':method',
    ':authority',
    ':scheme',
    ':protocol',
    ':status',
    'x\r\nhost',
    'a b',
    '',
    'authorization',
    'expect',
    'x-forwarded-for',
    'http2-settings',
    'cookie',
  ),
  pick(
    'good.test',
    'evil.test',
    '0',
    '5',
    '6',
    '5, 5',
    'chunked',
    'close',
    'trailers',
    'websocket',
    '/secret',
    'GET',
    'a\r\nx: y',
    'a\nb',
    'a\0b',
    ' a',
    '',
    '100-continue',
    'x'.repeat(200),
  ),
)
const request: fc.Arbitrary<RawRequest> = fc
  .record({
    method: mostly('GET', 'POST', 'CONNECT', 'get', 'GET /secret HTTP/1.1\r\nX:', 'PUT', '', 'TRACE', 'PRI'),
    path: mostly(
      '/ok/a',
      '/ok/b?c=d',
      smuggled,
      '/secret',
      '/ok/../secret',
      '/ok/%2e%2e/x',
      '*',
      '',
      'ok/a',
      'https://evil.test/ok',
      '//evil.test/ok',
      '/ok/a b',
      '/ok/a#b',
      '/ok\\x',
      '/ok/\xe9',
      '/ok/no/a',
      '/ok/a\0',
    ),
    authority: mostly(
      'good.test',
      'evil.test',
      'good.test:443',
      'good.test:80',
      'GOOD.test',
      'good.test.',
      'a@good.test',
      'good.test\r\nX: y',
      '',
    ),
    scheme: mostly('https', 'http', 'ftp', 'https\r\nX: y'),
    order: fc.boolean(),
    leave: fc.oneof({ weight: 8, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) }),
    fields: fc.array(pair, { maxLength: 2 }),
    data: fc.constantFrom([], [], ['hello'], ['he', 'llo'], ['']),
    trailers: fc.constantFrom(
      undefined,
      undefined,
      undefined,
      [['x', 'y']] as const,
      [[':path', '/secret']] as const,
      [['content-length', '5']] as const,
    ),
  })
  .map(({ method, path, authority, scheme, order, leave, fields, data, trailers }) => {
    const pseudo = [
      [':method', method],
      [':path', path],
      [':authority', authority],
      [':scheme', scheme],
    ].filter((_, index) => index !== leave) as [string, string][]
    return {
      pairs: order ? [...pseudo, ...fields] : [...pseudo.slice(1), ...fields, ...pseudo.slice(0, 1)],
      data,
      ...(trailers === undefined ? {} : { trailers }),
    }
  })

/** What a strict reader of HTTP/2 makes of it, as `METHOD PATH BODY`; undefined where it should be refused (RFC 9113 8.1.1, 8.2, 8.3). */
function meaning({ pairs, data }: RawRequest): string {
  const value = (name: string): string => pairs.find(([each]) => each === name)?.[1] ?? ''
  return `${value(':method')} ${value(':path')} ${data.join('')}`
}

it('whatever fields a stream has, the server reads what was judged, or nothing', { timeout: (fuzzSeconds() + 50) * 1000 }, async () => {
  let received: { bytes: Buffer; answered: number }[] = []
  const server = net.createServer((socket) => {
    const own = { bytes: Buffer.alloc(0), answered: 0 }
    received.push(own)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      own.bytes = Buffer.concat([own.bytes, chunk])
      const whole = readStrictly(own.bytes).requests.length
      for (; own.answered < whole; own.answered++) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const cell = await endedRig({
    rules: [
      allow('good.test', { methods: ['GET', 'POST'], paths: ['/ok/**'] }),
      { ...allow('good.test', { paths: ['/ok/no/**'] }), effect: 'deny' },
    ],
    routes: [plainRoute('good.test', 443, port)],
  })
  let [runs, passed] = [0, 0]
  const check = async (requests: readonly RawRequest[]): Promise<void> => {
    runs += 1
    received = []
    const socket = await cell.tls({ alpn: ['h2'] })
    expect(socket.alpnProtocol).toBe('h2')
    const over = settled(socket, requests.length)
    socket.write(rawHttp2(requests))
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 300))])
    socket.destroy()
    const asked = requests.map(meaning)
    for (const { bytes } of received) {
      const reading = readStrictly(bytes)
      expect(reading.rest, bytes.toString('latin1')).not.toBe('malformed')
      for (const each of [...reading.requests, ...(reading.begun === undefined ? [] : [reading.begun])]) {
        expect(['GET', 'POST']).toContain(each.method)
        expect(each.target).toMatch(/^\/ok(?:\/[\w%.~!$&'()*+,=:@-]+)*\/?(?:\?.*)?$/)
        expect(each.target).not.toMatch(/^\/ok\/no(?:\/|$)/)
        expect(each.host).toBe('good.test')
        if ('body' in each) expect(asked).toContain(`${each.method} ${each.target} ${String(each.body)}`)
      }
      passed += reading.requests.length
      expect(reading.requests.length).toBeLessThanOrEqual(requests.length)
    }
  }
  const one = (text: string): Promise<void> => check(JSON.parse(text) as RawRequest[])
  for (const { input } of corpus('http2')) await keeping('http2', input, () => one(input))
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), (requests) => {
      const input = JSON.stringify(requests)
      return keeping('http2', input, () => one(input))
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: fuzzSeconds() * 1000, markInterruptAsFailure: false },
  )
  server.close()
  expect({ runs: runs > 6, passed: passed > 1 }, JSON.stringify({ runs, passed })).toEqual({ runs: true, passed: true })
  for (const event of cell.events) expect(JSON.stringify(event)).toMatch(/^[\x20-\x7e\u2026]{1,2000}$/)
})
