// PRX-22, PRX-56: request streams from a grammar of what parsers disagree on. What a server behind the gateway received, a strict reader and
// node:http must read alike, and as what was asked for; everything else must have been refused.
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, afterEach, expect, it } from 'vitest'
import { readStrictly, type StrictRequest } from '../../support/strict-http.ts'
import { endedRig, plainRoute } from '../fixtures/ended.ts'
import { allow, cleanUp, route } from '../fixtures/rig.ts'
import { corpus, fuzzSeconds, keeping, saveFound } from './corpus.ts'

afterEach(cleanUp)
afterAll(saveFound)

const methods = ['GET', 'POST', 'PUT', 'get', 'CONNECT', 'TRACE', 'PRI', 'G\tET', 'GET ', '', 'OPTIONS', 'POST\0']
const targets = [
  '/ok/a',
  '/ok/b?c=d',
  '/ok/no/x',
  '/secret',
  '/ok/../secret',
  '/ok/%2e%2e/secret',
  'http://good.test/ok/a',
  'http://evil.test/ok/a',
  '//evil.test/ok',
  '*',
  '/ok/a b',
  '/ok/\xe9',
  '/ok/a#b',
  '/ok\\..\\x',
  '/ok/%2Fx',
  '/ok//x',
  '/ok;/x',
  'good.test:80',
]
const versions = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/1.10', '']
const ends = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', '\n\r\n']
const names = [
  'Host',
  'host',
  'HOST ',
  ' Host',
  'Host\t',
  'X-Host',
  'Content-Length',
  'content-length',
  'Content_Length',
  'Content-Length ',
  'Transfer-Encoding',
  'transfer-encoding',
  'Transfer_Encoding',
  'Transfer-Encoding\x0b',
  'Connection',
  'Authorization',
  'Expect',
  'Upgrade',
  'X',
  '',
  'X-Forwarded-For',
  'TE',
  'Trailer',
  'Content-Type',
  'HTTP2-Settings',
]
const values = [
  'good.test',
  'evil.test',
  'good.test:80',
  'good.test, evil.test',
  'good.test\0',
  '0',
  '5',
  '6',
  '+5',
  '05',
  '5, 5',
  '5 5',
  '0x5',
  '-1',
  '99999999999999999999',
  'chunked',
  'Chunked',
  'xchunked',
  'chunked, identity',
  'identity',
  'gzip, chunked',
  ' chunked',
  '\tchunked',
  '\x0bchunked',
  '"chunked"',
  'chunked\r\n folded',
  'close',
  'keep-alive',
  'Content-Length',
  'Transfer-Encoding, Host',
  'upgrade',
  'h2c',
  'websocket',
  '100-continue',
  'a\r\nContent-Length: 5',
  'a\nHost: evil.test',
  '',
  'x'.repeat(300),
]
const bodies = [
  '',
  'hello',
  'hello!',
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;x=y\r\nhello\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
  '+5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nX: y\r\n\r\n',
  '3\r\nhello\r\n0\r\n\r\n',
  '5\r\nhel',
  'GET /secret HTTP/1.1\r\nHost: good.test\r\n\r\n',
  '\r\n',
  '00000000005\r\nhello\r\n0\r\n\r\n',
]

const pick = (list: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...list)
const field = fc
  .tuple(pick(names), pick(values), pick([': ', ':', ' : ', ':\t']), pick(ends))
  .map((parts) => `${parts[0]}${parts[2]}${parts[1]}${parts[3]}`)
/** Mostly right, so that something passes, with one or two things that are not. */
const request = fc
  .record({
    method: fc.oneof({ weight: 5, arbitrary: pick(['GET', 'POST']) }, { weight: 1, arbitrary: pick(methods) }),
    target: fc.oneof({ weight: 4, arbitrary: pick(['/ok/a', '/ok/b?c=d']) }, { weight: 2, arbitrary: pick(targets) }),
    version: fc.oneof({ weight: 8, arbitrary: fc.constant('HTTP/1.1') }, { weight: 1, arbitrary: pick(versions) }),
    host: fc.oneof({ weight: 8, arbitrary: fc.constant('Host: good.test\r\n') }, { weight: 1, arbitrary: fc.constant('') }),
    fields: fc.array(field, { maxLength: 2 }),
    framed: fc.constantFrom('', '', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'),
    body: fc.oneof({ weight: 1, arbitrary: fc.constant('match') }, { weight: 1, arbitrary: pick(bodies) }),
    end: fc.oneof({ weight: 12, arbitrary: fc.constant('\r\n') }, { weight: 1, arbitrary: pick(ends) }),
  })
  .map(({ method, target, version, host, fields, framed, body, end }) => {
    const fitting = framed === '' ? '' : framed.startsWith('C') ? 'hello' : '5\r\nhello\r\n0\r\n\r\n'
    return `${method} ${target} ${version}\r\n${host}${fields.join('')}${framed}${end}${body === 'match' ? fitting : body}`
  })
const stream = fc.array(request, { minLength: 1, maxLength: 3 }).map((requests) => requests.join(''))

interface Heard {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly body: string
}
const heardOf = ({ method, target, host, body }: StrictRequest): Heard => ({ method, target, host, body: body.toString('latin1') })

/** What node:http makes of the same bytes: a second opinion that shares no code with ours. */
async function nodeReader(): Promise<{ read(bytes: Buffer): Promise<readonly Heard[]>; close(): void }> {
  const bySocket = new WeakMap<net.Socket, Heard[]>()
  const server = http.createServer({ requireHostHeader: false }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      bySocket.get(request.socket)?.push({ method, target: url, host: headers.host ?? '', body: Buffer.concat(chunks).toString('latin1') })
      response.end()
    })
  })
  const heard: Heard[][] = []
  server.on('connection', (socket: net.Socket) => {
    const own: Heard[] = []
    bySocket.set(socket, own)
    heard.push(own)
  })
  server.on('clientError', (_error, socket) => void socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    async read(bytes) {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.resume()
      socket.end(bytes)
      await once(socket, 'close')
      return heard.at(-1) ?? []
    },
    close: () => void server.close(),
  }
}

interface Connection {
  /** Of this run. */
  bytes: Buffer
  answered: number
}

/** Answers each whole request that a strict reader finds; anything malformed is left as it is, for the test to see. */
async function strictServer(): Promise<{ readonly port: number; readonly connections: Set<Connection>; close(): void }> {
  const connections = new Set<Connection>()
  const server = net.createServer((socket) => {
    const connection = { bytes: Buffer.alloc(0), answered: 0 }
    connections.add(connection)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      connection.bytes = Buffer.concat([connection.bytes, chunk])
      const whole = readStrictly(connection.bytes).requests.length
      for (; connection.answered < whole; connection.answered++) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, connections, close: () => void server.close() }
}

/** Sends all, ends, and reads until the gateway closes. */
async function send(socket: net.Socket, bytes: Buffer): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.end(bytes)
  // A body that broke off is a reset.
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

it.each(['in the clear', 'where TLS is ended'])(
  'whatever stream the cell sends %s, the server reads what was judged, or nothing',
  { timeout: (fuzzSeconds() + 50) * 1000 },
  async (how) => {
    const outside = await strictServer()
    const ended = how === 'where TLS is ended'
    const cell = await endedRig({
      rules: [
        allow('good.test', { methods: ['GET', 'POST'], paths: ['/ok/**'] }),
        { ...allow('good.test', { paths: ['/ok/no/**'] }), effect: 'deny' },
      ],
      routes: [route('good.test', 80, outside.port), plainRoute('good.test', 443, outside.port)],
      settings: { headMilliseconds: 500, keepAliveMilliseconds: 500 },
    })
    const second = await nodeReader()
    let [passed, refused, runs] = [0, 0, 0]
    const check = async (text: string): Promise<void> => {
      runs += 1
      const sent = Buffer.from(text, 'latin1')
      const answer = await send(ended ? await cell.tls() : await cell.connect('good.test', 80), sent)
      const wanted = readStrictly(sent, true).requests.map(heardOf)
      const got: Heard[] = []
      for (const connection of outside.connections) {
        const { bytes } = connection
        if (bytes.length === 0) continue
        connection.bytes = Buffer.alloc(0) // kept connections serve the next run as well
        connection.answered = 0
        const reading = readStrictly(bytes)
        expect(reading.rest, bytes.toString('latin1')).not.toBe('malformed')
        const heard = reading.requests.map(heardOf)
        if (reading.rest === 'nothing') expect(await second.read(bytes)).toEqual(heard)
        else outside.connections.delete(connection)
        got.push(...heard)
        for (const each of [...reading.requests, ...(reading.begun === undefined ? [] : [reading.begun])]) {
          expect(['GET', 'POST']).toContain(each.method)
          expect(each.target).toMatch(/^\/ok(?:\/[\w%.~!$&'()*+,=:@-]+)*\/?(?:\?.*)?$/)
          expect(each.target).not.toMatch(/^\/ok\/no(?:\/|$)/)
          expect(each.host).toBe('good.test')
        }
      }
      // In the order asked, none twice, none that a strict reader would not have found in what the cell sent.
      const asked = wanted.map(({ method, target, body }) => `${method} ${target} ${body}`)
      let at = 0
      for (const { method, target, body } of got) {
        expect(asked.slice(at)).toContain(`${method} ${target} ${body}`)
        at = asked.indexOf(`${method} ${target} ${body}`, at) + 1
      }
      for (const line of answer.match(/^HTTP\/1\.1 .*$/gm) ?? []) expect(line).toMatch(/^HTTP\/1\.1 (?:100|200|4\d\d|5\d\d) [\w -]+\r?$/)
      passed += got.length
      if (/^HTTP\/1\.1 4/m.test(answer)) refused += 1
    }
    for (const { about, input } of corpus('requests'))
      await keeping('requests', input, () => check(input)).catch((error: unknown) => Promise.reject(new Error(about, { cause: error })))
    let last: Promise<void> = Promise.resolve()
    await fc.assert(
      fc.asyncProperty(stream, (text) => (last = keeping('requests', text, () => check(text)))),
      {
        numRuns: 1_000_000,
        interruptAfterTimeLimit: fuzzSeconds() * 500,
        markInterruptAsFailure: false,
      },
    )
    // The time may be over in the middle of one: it needs both servers to its end.
    await last
    second.close()
    outside.close()
    expect({ runs: runs > 14, passed: passed > 4, refused: refused > 4 }, JSON.stringify({ runs, passed, refused })).toEqual({
      runs: true,
      passed: true,
      refused: true,
    })
    for (const event of cell.events) expect(JSON.stringify(event)).toMatch(/^[\x20-\x7e\u2026]{1,2000}$/)
  },
)
