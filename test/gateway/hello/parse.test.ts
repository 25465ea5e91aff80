import fc from 'fast-check'
import { readTlsClientHello, getExtensionData } from 'read-tls-client-hello'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { parseClientHello } from '../../../src/gateway/hello/parse.ts'
import { helloMessage, helloRecords, realHello, serverName } from '../fixtures/hello.ts'

const parse = (bytes: Buffer) => parseClientHello(bytes, 65_536)

it('reads the server name of a real hello, as an independent parser does', async () => {
  const bytes = await realHello('api.allowed.test')
  expect(parse(bytes)).toEqual({ kind: 'hello', serverName: 'api.allowed.test', encrypted: false })
  const other = await readTlsClientHello(Readable.from([bytes], { objectMode: false }))
  expect(getExtensionData(other, 'server_name')?.serverName).toBe('api.allowed.test')
})

it('asks for more at every cut of a whole hello, and never decides early', async () => {
  const bytes = await realHello('api.allowed.test')
  for (let end = 0; end < bytes.length; end++) expect(parse(bytes.subarray(0, end)).kind, String(end)).toBe('more')
})

it('reads a hello that is split over records of any size', () => {
  for (const size of [1, 2, 3, 4, 5, 17, 60, 4_000])
    expect(parse(helloRecords({ name: 'a.test' }, size))).toMatchObject({ kind: 'hello', serverName: 'a.test' })
})

it('tells an encrypted inner hello, and judges the outer name', () => {
  expect(parse(helloRecords({ name: 'outer.test', extensions: [[0xfe0d, Buffer.alloc(40)]] }))).toEqual({
    kind: 'hello',
    serverName: 'outer.test',
    encrypted: true,
  })
})

it('knows a hello without a name', () => {
  expect(parse(helloRecords({}))).toMatchObject({ kind: 'hello', serverName: undefined })
  expect(parse(helloRecords({ noExtensions: true }))).toMatchObject({ kind: 'hello', serverName: undefined })
})

it.each([
  ['two server_name extensions', helloRecords({ name: 'a.test', extensions: [[0, serverName('evil.test')]] })],
  [
    'two names in one list',
    helloRecords({
      extensions: [
        [0, Buffer.concat([Buffer.from([0, 18, 0, 0, 6]), Buffer.from('a.test'), Buffer.from([0, 0, 6]), Buffer.from('b.test')])],
      ],
    }),
  ],
  ['a name of another type', helloRecords({ extensions: [[0, Buffer.concat([Buffer.from([0, 9, 1, 0, 6]), Buffer.from('a.test')])]] })],
  ['an empty name', helloRecords({ extensions: [[0, Buffer.from([0, 3, 0, 0, 0])]] })],
  [
    'a name list longer than it says',
    helloRecords({ extensions: [[0, Buffer.concat([Buffer.from([0, 9, 0, 0, 6]), Buffer.from('a.testX')])]] }),
  ],
  ['an empty name extension', helloRecords({ extensions: [[0, Buffer.alloc(0)]] })],
  [
    'bytes after the hello in its record',
    (() => {
      const message = Buffer.concat([helloMessage({ name: 'a.test' }), Buffer.from('x')])
      return Buffer.concat([Buffer.from([22, 3, 1, 0, message.length]), message])
    })(),
  ],
  ['another record inside', Buffer.concat([helloRecords({ name: 'a.test' }, 20).subarray(0, 25), Buffer.from([21, 3, 1, 0, 2, 1, 0])])],
  ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
  ['a record of more than 16 KB', Buffer.from([22, 3, 1, 0xff, 0xff])],
  ['a hello that claims 16 MB', Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])],
  ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
])('refuses %s', (_name, bytes) => {
  expect(parse(bytes).kind).toBe('bad')
})

it.each([
  ['HTTP', 'GET / HTTP/1.1\r\n'],
  ['SSH', 'SSH-2.0-x\r\n'],
  ['SSL 2', '\x80\x2e\x01\x03\x01'],
  ['another major version', '\x16\x02\x00'],
])('says that %s is not TLS', (_name, text) => {
  expect(parse(Buffer.from(text, 'latin1')).kind).toBe('not-tls')
})

it('never throws and never reads a name that is not there, whatever byte is bent', () => {
  const bytes = helloRecords({
    name: 'api.allowed.test',
    extensions: [
      [16, Buffer.from([0, 3, 2, 104, 50])],
      [43, Buffer.from([2, 3, 4])],
    ],
  })
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const bent = Buffer.from(bytes)
      bent[at] = value
      const hello = parse(bent)
      if (hello.kind === 'hello' && hello.serverName !== undefined)
        expect(bent.includes(Buffer.from(hello.serverName, 'latin1'))).toBe(true)
    }),
    { numRuns: 3_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (rest) => {
      parse(Buffer.concat([Buffer.from([22, 3, 1]), rest]))
    }),
    { numRuns: 2_000 },
  )
})
