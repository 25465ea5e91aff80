// PRX-20, PRX-22, PRX-24, PRX-25, PRX-33, PRX-48: odd HTTP is refused, never mended; the server sees nothing of it.
import { afterEach, expect, it } from 'vitest'
import { allow, cleanUp, exchange, httpResponder, rig, route, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

async function open() {
  const outside = await witness(httpResponder())
  const cell = await rig({
    rules: [allow('good.test'), allow('other.test')],
    routes: [route('good.test', 80, outside.port), route('other.test', 80, outside.port)],
  })
  return { outside, cell }
}

const head = 'Host: good.test\r\n'
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: good.test\r\n\r\n'
const odd: readonly (readonly [string, string])[] = [
  ['two Host fields', `GET / HTTP/1.1\r\n${head}Host: evil.test\r\n\r\n`],
  ['two equal Host fields', `GET / HTTP/1.1\r\n${head}${head}\r\n`],
  ['no Host field', 'GET / HTTP/1.1\r\nX: y\r\n\r\n'],
  ['an empty Host field', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['another Host', 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
  ['another allowed Host', 'GET / HTTP/1.1\r\nHost: other.test\r\n\r\n'],
  ['another port in Host', 'GET / HTTP/1.1\r\nHost: good.test:8080\r\n\r\n'],
  ['user information in Host', 'GET / HTTP/1.1\r\nHost: a@good.test\r\n\r\n'],
  ['a list of Hosts', 'GET / HTTP/1.1\r\nHost: good.test, evil.test\r\n\r\n'],
  ['absolute-form for another host', `GET http://evil.test/ HTTP/1.1\r\n${head}\r\n`],
  ['absolute-form with the Host of another', 'GET http://good.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
  ['user information in the address', `GET http://good.test@evil.test/ HTTP/1.1\r\n${head}\r\n`],
  ['both lengths', `POST / HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['two lengths', `POST / HTTP/1.1\r\n${head}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`],
  ['two equal lengths', `POST / HTTP/1.1\r\n${head}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
  ['a list of lengths', `POST / HTTP/1.1\r\n${head}Content-Length: 0, 0\r\n\r\n`],
  ['a signed length', `POST / HTTP/1.1\r\n${head}Content-Length: +5\r\n\r\nhello`],
  ['a negative length', `POST / HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n`],
  ['a hexadecimal length', `POST / HTTP/1.1\r\n${head}Content-Length: 0x5\r\n\r\nhello`],
  ['an empty length', `POST / HTTP/1.1\r\n${head}Content-Length:\r\n\r\n`],
  ['a length of 30 digits', `POST / HTTP/1.1\r\n${head}Content-Length: ${'9'.repeat(30)}\r\n\r\n`],
  ['two codings', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a coding before chunked', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['a coding after chunked', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ['xchunked', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['identity', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: identity\r\n\r\n`],
  ['chunked behind a vertical tab', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
  ['a quoted coding', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`],
  ['a coding in HTTP/1.0', `POST / HTTP/1.0\r\n${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a space before the colon', `POST / HTTP/1.1\r\n${head}Content-Length : 5\r\n\r\nhello`],
  ['a tab in front of a name', `POST / HTTP/1.1\r\n${head}\tX: y\r\n\r\n`],
  ['a folded field', `GET / HTTP/1.1\r\n${head}X: a\r\n b\r\n\r\n`],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: good.test\n\n'],
  ['one bare line feed', `GET / HTTP/1.1\r\n${head}X: a\nY: b\r\n\r\n`],
  ['a bare carriage return', `GET / HTTP/1.1\r\n${head}X: a\rY: b\r\n\r\n`],
  ['a NUL in a value', `GET / HTTP/1.1\r\n${head}X: a\0b\r\n\r\n`],
  ['a control character in a value', `GET / HTTP/1.1\r\n${head}X: a\x1bb\r\n\r\n`],
  ['an empty name', `GET / HTTP/1.1\r\n${head}: y\r\n\r\n`],
  ['a line without a colon', `GET / HTTP/1.1\r\n${head}garbage\r\n\r\n`],
  ['a name with a blank', `GET / HTTP/1.1\r\n${head}X y: z\r\n\r\n`],
  ['an empty line in front', `\r\nGET / HTTP/1.1\r\n${head}\r\n`],
  ['two blanks in the request line', `GET  / HTTP/1.1\r\n${head}\r\n`],
  ['a tab in the request line', `GET\t/ HTTP/1.1\r\n${head}\r\n`],
  ['a blank in the target', `GET /a b HTTP/1.1\r\n${head}\r\n`],
  ['a fragment', `GET /a#b HTTP/1.1\r\n${head}\r\n`],
  ['a backslash', `GET /a\\b HTTP/1.1\r\n${head}\r\n`],
  ['a byte above ASCII in the target', `GET /\xe4 HTTP/1.1\r\n${head}\r\n`],
  ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${head}\r\n`],
  ['a method in lower case', `get / HTTP/1.1\r\n${head}\r\n`],
  ['TRACE', `TRACE / HTTP/1.1\r\n${head}\r\n`],
  ['CONNECT to an origin', `CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n`],
  ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/2', `GET / HTTP/2.0\r\n${head}\r\n`],
  ['HTTP/0.9', 'GET /\r\n\r\n'],
  ['HTTP/1.10', `GET / HTTP/1.10\r\n${head}\r\n`],
  ['a lower-case version', `GET / http/1.1\r\n${head}\r\n`],
  ['an unknown expectation', `POST / HTTP/1.1\r\n${head}Expect: something\r\nContent-Length: 1\r\n\r\nx`],
  ['two Authorization fields', `GET / HTTP/1.1\r\n${head}Authorization: a\r\nAuthorization: b\r\n\r\n`],
  ['a 70 KB field', `GET / HTTP/1.1\r\n${head}X: ${'a'.repeat(70_000)}\r\n\r\n`],
  ['a request line of 1 MB', `GET /${'a'.repeat(1_000_000)} HTTP/1.1\r\n${head}\r\n`],
  ['20,000 fields', `GET / HTTP/1.1\r\n${head}${'X: y\r\n'.repeat(20_000)}\r\n`],
  ['a WebSocket request with a body', `GET / HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx`],
]

it.each(odd)('refuses %s and closes', async (_name, bytes) => {
  const { outside, cell } = await open()
  const answer = await exchange(await cell.connect('good.test', 80), bytes)
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d |^HTTP\/1\.1 505 /)
  expect(answer).toMatch(/\r\nX-Anchorhold: refused; code=[a-z-]+\r\n/)
  expect(answer.match(/^HTTP\//gm)).toHaveLength(1)
  expect(outside.text()).toBe('')
  for (const event of cell.events) expect(JSON.stringify(event)).toMatch(/^[\x20-\x7e]{0,2000}$/)
})

const broken: readonly (readonly [string, string])[] = [
  ['a chunk extension', '5;a=b\r\nhello\r\n0\r\n\r\n'],
  ['a 20 KB chunk extension', `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
  ['a signed chunk size', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a blank before the chunk size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['an empty chunk size', '\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size of 17 digits', `${'f'.repeat(17)}\r\nhello`],
  ['a bare line feed after the size', '5\nhello\r\n0\r\n\r\n'],
  ['a chunk longer than it says', '3\r\nhello\r\n0\r\n\r\n'],
  ['a bare line feed after the chunk', '5\r\nhello\n0\r\n\r\n'],
  ['trailers', `0\r\nX: y\r\n\r\n${smuggled}`],
]

it.each(broken)('refuses a body with %s; the server never sees a whole request', async (_name, body) => {
  const { outside, cell } = await open()
  const answer = await exchange(await cell.connect('good.test', 80), `POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n${body}`)
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(outside.text()).not.toContain('0\r\n\r\n')
  expect(outside.text()).not.toContain('smuggled')
})

it('is itself read strictly: a plain request and a chunked one pass (control)', async () => {
  const { outside, cell } = await open()
  const socket = await cell.connect('good.test', 80)
  const answer = await exchange(
    socket,
    `GET / HTTP/1.1\r\n${head}\r\nPOST /b HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  )
  expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
  expect(outside.text()).toContain('\r\n\r\n5\r\nhello\r\n0\r\n\r\n')
})
