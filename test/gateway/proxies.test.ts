// NET-25, PRX-01, 03, 05..12, 16, 21, 24, 27, 28: the proxies for programs that insist follow the same policy, by the same door.
import { afterEach, expect, it } from 'vitest'
import { helloRecords } from './fixtures/hello.ts'
import { allow, cleanUp, dial, exchange, httpResponder, readUntil, rig, route, witness } from './fixtures/rig.ts'

afterEach(cleanUp)

async function open() {
  const outside = await witness((socket) => {
    socket.write('HI')
    socket.on('end', () => socket.end())
  })
  const web = await witness(httpResponder())
  const cell = await rig({
    rules: [allow('good.test'), allow('good.test:22'), allow('*.wild.test:443')],
    routes: [
      route('good.test', 443, outside.port),
      route('good.test', 22, outside.port),
      route('good.test', 80, web.port),
      route('a.wild.test', 443, outside.port),
    ],
  })
  return { outside, web, cell, http: () => dial(cell.port('http-proxy')), socks: () => dial(cell.port('socks-proxy')) }
}

const connect = (authority: string, host = authority) => `CONNECT ${authority} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

it('CONNECT reaches an allowed host, the hello in the same segment or not, and the name is still checked', async () => {
  const { outside, http } = await open()
  const first = await http()
  first.write(Buffer.concat([Buffer.from(connect('good.test:443')), helloRecords({ name: 'good.test' })]))
  expect(await readUntil(first, (text) => text.endsWith('HI'))).toContain('200 Connection established')
  expect(outside.hits[0]?.bytes.equals(helloRecords({ name: 'good.test' }))).toBe(true)
  const second = await http()
  second.write(connect('GOOD.test.:443'))
  await readUntil(second, (text) => text.endsWith('\r\n\r\n'))
  expect(await exchange(second, helloRecords({ name: 'evil.test' }))).toBe('\x15\x03\x03\x00\x02\x02\x70')
  expect(outside.hits).toHaveLength(1)
})

it('CONNECT to a port where the server speaks first', async () => {
  const { http } = await open()
  const socket = await http()
  socket.write(connect('good.test:22'))
  expect(await readUntil(socket, (text) => text.endsWith('HI'))).toContain(' 200 ')
})

it('CONNECT to port 80 is plain HTTP, read strictly; a nested CONNECT is none of it', async () => {
  const { web, http } = await open()
  const ask = async (text: string) => {
    const socket = await http()
    socket.write(connect('good.test:80'))
    await readUntil(socket, (all) => all.endsWith('\r\n\r\n'))
    return exchange(socket, text)
  }
  expect(await ask('GET / HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n')).toContain(' 200 ')
  expect(await ask('GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n')).toContain(' 400 ')
  expect(await ask(connect('evil.test:443'))).toContain(' 405 ')
  expect(web.hits).toHaveLength(1)
})

const refused: readonly (readonly [string, RegExp])[] = [
  ['evil.test:443', /403.*not-listed/s],
  ['xgood.test:443', /403/],
  ['good.test.evil.test:443', /403/],
  ['wild.test:443', /403/],
  ['evilwild.test:443', /403/],
  ['goodxtest:443', /403/],
  ['good.test:25', /403.*code=port/s],
  ['good.test:3128', /403/],
  ['localhost:443', /403/],
  ['localhost:3128', /403/],
  ['host.anchorhold.internal:22', /403/],
  ['127.0.0.1:443', /403.*address-literal/s],
  ['127.1:443', /403/],
  ['2130706433:443', /403/],
  ['0x7f.1:443', /403/],
  ['0177.0.0.1:443', /403/],
  ['0:443', /403/],
  ['169.254.169.254:80', /403/],
  ['127.0.0.1:3128', /403/],
  ['[::1]:443', /403/],
  ['[::ffff:7f00:1]:443', /403/],
  ['[fd00:ec2::254]:80', /403/],
  ['[good.test]:443', /40[03]/],
  ['[::1', /400/],
  ['::1:443', /400/],
  ['fe80::1%lo:443', /400/],
  ['good.test', /400/],
  ['good.test:', /400/],
  ['good.test:0', /400/],
  ['good.test:0443', /400/],
  ['good.test:+443', /400/],
  ['good.test:443abc', /400/],
  ['good.test:65536', /400/],
  ['good.test:443:443', /400/],
  ['a@good.test:443', /400/],
  ['good.test%00.wild.test:443', /400/],
  ['evil.test%2e.wild.test:443', /400/],
  ['good.test/x:443', /400/],
  ['good.test?x:443', /400/],
  ['-good.test:443', /400/],
  ['good..test:443', /400/],
  ['.good.test:443', /400/],
  ['good.test..:443', /400/],
  ['g\xf6od.test:443', /400/],
  ['"good.test":443', /400/],
  ['xn--a.test:443', /40[03]/],
  [`${'a'.repeat(300)}.wild.test:443`, /400/],
  ['*.wild.test:443', /400/],
]

it.each(refused)('CONNECT %s is refused before any look-up or dial', async (authority, expected) => {
  const { outside, web, cell, http } = await open()
  const answer = await exchange(await http(), connect(authority))
  expect(answer).toMatch(expected)
  expect(answer).not.toContain(' 200 ')
  expect([cell.names, outside.hits, web.hits]).toEqual([[], [], []])
  for (const event of cell.events) expect(JSON.stringify(event)).toMatch(/^[\x20-\x7e\u2026]{0,1500}$/)
})

it.each([
  ['a body', `CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\nContent-Length: 5\r\n\r\nhello`],
  ['a chunked body', `CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['another Host', connect('good.test:443', 'evil.test:443')],
  ['another port in Host', connect('good.test:443', 'good.test:22')],
  ['two Hosts', 'CONNECT good.test:443 HTTP/1.1\r\nHost: good.test\r\nHost: good.test\r\n\r\n'],
  ['a path', 'CONNECT / HTTP/1.1\r\nHost: good.test\r\n\r\n'],
])('CONNECT with %s is refused', async (_name, bytes) => {
  const { outside, http } = await open()
  expect(await exchange(await http(), bytes)).toMatch(/^HTTP\/1\.1 40/)
  expect(outside.hits).toHaveLength(0)
})

it('absolute-form goes out rebuilt, each request on its own verdict', async () => {
  const { web, http } = await open()
  const socket = await http()
  socket.write('GET http://GOOD.test/a?b HTTP/1.1\r\nHost: good.test\r\n\r\n')
  expect(await readUntil(socket, (text) => text.endsWith('outside\n'))).toContain(' 200 ')
  expect(await exchange(socket, 'GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n')).toContain(' 403 ')
  expect(web.text()).toBe('GET /a?b HTTP/1.1\r\nHost: good.test\r\nConnection: keep-alive\r\n\r\n')
})

it.each([
  ['GET / HTTP/1.1\r\nHost: good.test', 400],
  ['GET https://good.test/ HTTP/1.1\r\nHost: good.test', 400],
  ['GET ftp://good.test/ HTTP/1.1\r\nHost: good.test', 400],
  ['GET http://good.test@evil.test/ HTTP/1.1\r\nHost: evil.test', 400],
  ['GET http://evil.test#@good.test/ HTTP/1.1\r\nHost: good.test', 400],
  ['GET http://evil.test\\@good.test/ HTTP/1.1\r\nHost: good.test', 400],
  ['GET http:/good.test/ HTTP/1.1\r\nHost: good.test', 400],
  ['GET http:///good.test/ HTTP/1.1\r\nHost: good.test', 400],
  ['GET http://good.test:0080/ HTTP/1.1\r\nHost: good.test', 400],
  ['GET http://[::1]/ HTTP/1.1\r\nHost: [::1]', 403],
  ['GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1', 403],
  ['GET http://169.254.169.254/ HTTP/1.1\r\nHost: 169.254.169.254', 403],
  ['GET http://good.test:22/ HTTP/1.1\r\nHost: good.test:22', 200],
])('%s answers %i', async (text, status) => {
  const { http, cell } = await open()
  const answer = await exchange(await http(), `${text}\r\nConnection: close\r\n\r\n`, 300)
  if (status === 200) expect(answer).toContain(' 502 ') // allowed, but what answers there speaks no HTTP
  else expect(answer).toContain(` ${status} `)
  expect(cell.names).toEqual([])
})

const five = (host: string | Buffer, port: number, command = 1) => {
  const name = Buffer.from(host as string, 'latin1' as BufferEncoding)
  return Buffer.concat([Buffer.from([5, 1, 0, 5, command, 0, 3, name.length]), name, Buffer.from([port >> 8, port & 255])])
}

it('SOCKS 5 and 4A reach an allowed host by name', async () => {
  const { socks, outside } = await open()
  const socket = await socks()
  socket.write(five('good.test', 22))
  expect(await readUntil(socket, (text) => text.endsWith('HI'))).toBe('\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00HI')
  const old = await socks()
  for (const byte of Buffer.concat([Buffer.from([4, 1, 0, 22, 0, 0, 0, 1]), Buffer.from('user\0good.test\0')]))
    old.write(Buffer.from([byte]))
  expect(await readUntil(old, (text) => text.endsWith('HI'))).toBe('\x00Z\x00\x00\x00\x00\x00\x00HI')
  expect(outside.hits).toHaveLength(2)
})

it('an address that this session gave out for a name stands for it', async () => {
  const { cell, socks, http } = await open()
  const address = (await cell.lookup('good.test')) ?? ''
  const socket = await socks()
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, ...address.split('.').map(Number), 0, 22]))
  expect(await readUntil(socket, (text) => text.endsWith('HI'))).toContain('HI')
  const other = await http()
  other.write(connect(`${address}:22`))
  expect(await readUntil(other, (text) => text.endsWith('HI'))).toContain('HI')
})

it.each([
  ['a name that is not listed', five('evil.test', 443)],
  ['a NUL', five('evil.test\0.wild.test', 443)],
  ['a NUL at the end', five('good.test\0', 22)],
  ['CRLF', five('good.test\r\nX: y', 22)],
  ['a blank', five('good.test ', 22)],
  ['a percent sign', five('good.test%00.wild.test', 443)],
  ['a byte above ASCII', five('g\xf6od.test', 22)],
  ['an empty name', five('', 22)],
  ['255 bytes', five(`${'a'.repeat(245)}.wild.test`, 443)],
  ['an address as text', five('127.0.0.1', 22)],
  ['an IPv6 address as text', five('::1', 22)],
  ['a short address', five('127.1', 22)],
  ['another port', five('good.test', 23)],
  ['port 0', five('good.test', 0)],
  ['an IPv4 address', Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 22])],
  ['the metadata address', Buffer.from([5, 1, 0, 5, 1, 0, 1, 169, 254, 169, 254, 0, 80])],
  ['an IPv6 address', Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 4]), Buffer.alloc(15), Buffer.from([1, 0, 22])])],
  ['UDP ASSOCIATE', five('good.test', 22, 3)],
  ['BIND', five('good.test', 22, 2)],
  ['an unknown kind of address', Buffer.from([5, 1, 0, 5, 1, 0, 9, 0, 22])],
  ['SOCKS 4 with an address', Buffer.from([4, 1, 0, 22, 127, 0, 0, 1, 0])],
  ['SOCKS 4 BIND', Buffer.from([4, 2, 0, 22, 0, 0, 0, 1, 0, 103, 0])],
  ['a login only', Buffer.from([5, 1, 2])],
  ['no SOCKS', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
])('SOCKS with %s is refused', async (_name, bytes) => {
  const { cell, outside, web, socks } = await open()
  const answer = await exchange(await socks(), bytes)
  expect(answer).not.toContain('HI')
  expect(answer).not.toMatch(/\x05\x00\x00\x01|\x00Z/)
  expect([cell.names, outside.hits, web.hits]).toEqual([[], [], []])
  expect(cell.gateway.stats().refused).toHaveLength(1)
})
