// What servers answer, however odd and however cut up: the same parts whatever the pieces, never a throw, never a byte too many taken.
import http from 'node:http'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeAnswerReader } from '../../../src/gateway/upstream/reader.ts'

interface Read {
  readonly heads: readonly { status: number; fields: readonly (readonly [string, string])[]; length: number | undefined; keep: boolean }[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[] | undefined
  readonly bad: boolean
  readonly used: number
  readonly proper: boolean
}

/** Feeds the pieces as a connection would, from memory that is overwritten afterwards. */
function read(pieces: readonly Buffer[], method = 'GET', maxHeadBytes = 4_096): Read {
  const reader = makeAnswerReader(maxHeadBytes)
  const heads: Read['heads'][number][] = []
  const chunks: Buffer[] = []
  let trailers: Read['trailers']
  reader.begin(method, {
    head: ({ status, fields, length, keep }) => void heads.push({ status, fields, length, keep }),
    data: (piece) => void chunks.push(Buffer.from(piece)),
    end: (fields) => (trailers = fields),
  })
  let used = 0
  for (const piece of pieces) {
    if (!reader.busy) break
    const memory = Buffer.from(piece)
    used += reader.feed(memory)
    memory.fill(0x2a)
  }
  const proper = trailers !== undefined || reader.finish()
  const bad = reader.bad !== undefined
  return { heads, body: Buffer.concat(chunks).toString('latin1'), trailers, bad, used: bad ? 0 : used, proper }
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const points = [...new Set([0, ...at.map((point) => point % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point))
}

const ok = 'HTTP/1.1 200 OK\r\n'

it.each([
  ['a length', `${ok}Content-Length: 3\r\n\r\nabcNEXT`, { body: 'abc', proper: true }],
  [
    'chunks',
    `${ok}Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n1 \r\nd\r\n0\r\nX-Sum: 1\r\n\r\nNEXT`,
    { body: 'abcd', trailers: [['X-Sum', '1']] },
  ],
  ['its end', `${ok}A: b\r\n\r\nabc`, { body: 'abc', proper: true }],
  ['nothing with 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nNEXT', { body: '', proper: true }],
  [
    'interim answers',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n',
    { body: '', proper: true },
  ],
  ['no words behind the status', 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx', { body: 'x', proper: true }],
])('reads an answer that ends by %s', (_what, text, expected) => {
  const whole = read([Buffer.from(text, 'latin1')])
  expect(whole).toMatchObject({ bad: false, ...expected })
  if (text.endsWith('NEXT')) expect(whole.used).toBe(text.length - 4)
})

it.each([
  ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a bare line feed in the head', 'HTTP/1.1 200 OK\nA: b\r\n\r\n'],
  ['a bare carriage return in a value', `${ok}A: b\rContent-Length: 5\r\n\r\n`],
  ['a NUL', `${ok}A: b\0\r\n\r\n`],
  ['a folded field', `${ok}A: b\r\n c\r\n\r\n`],
  ['a space before the colon', `${ok}Content-Length : 5\r\n\r\n`],
  ['no colon', `${ok}Content-Length\r\n\r\n`],
  ['two lengths', `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`],
  ['a list of lengths', `${ok}Content-Length: 5, 5\r\n\r\n`],
  ['a signed length', `${ok}Content-Length: +5\r\n\r\n`],
  ['a hexadecimal length', `${ok}Content-Length: 0x5\r\n\r\n`],
  ['both framings', `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['two encodings', `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['an encoding that is unknown', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['a chunk size that is none', `${ok}Transfer-Encoding: chunked\r\n\r\n-1\r\n`],
  ['a chunk size beyond all bounds', `${ok}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`],
  ['a chunk longer than it says', `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n`],
  ['a bare line feed after a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n`],
  ['an extension without end', `${ok}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(2_000)}`],
  ['malformed trailers', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n`],
  ['a head without end', `${ok}A: ${'b'.repeat(5_000)}`],
  ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(40)],
])('refuses %s, in one piece and byte by byte', (_what, text) => {
  const bytes = Buffer.from(text, 'latin1')
  expect(read([bytes]).bad).toBe(true)
  expect(read(cut(bytes, [...bytes.keys()])).bad).toBe(true)
})

const spice = fc.constantFrom('\r\n', '\r', '\n', '\0', ' ', '\t', ':', ';', ',', '0', '5', 'f', 'A', '\x7f', '\xff', 'chunked', 'close')
const line = fc.oneof(
  fc.constantFrom(
    'HTTP/1.1 200 OK',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 204 x',
    'HTTP/1.1 304 x',
    'HTTP/1.1 200',
    'HTTP/1.1 101 x',
  ),
  fc.constantFrom(
    'Content-Length: 5',
    'Content-Length: 0',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Connection: keep-alive, X-A',
    'X-A: b',
    'Trailer: X-Sum',
    '',
  ),
  fc.constantFrom('5', 'abcde', '0', '3;x=y', 'abc', 'hello world', 'X-Sum: 1'),
  fc.array(spice, { maxLength: 4 }).map((parts) => parts.join('')),
)
/** Answers that are nearly right, and rubbish. */
const answer = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 204 x', 'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK'),
        fc.array(line, { maxLength: 14 }),
      )
      .map(([first, lines]) => [first, ...lines].join('\r\n')),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.array(line, { maxLength: 10 }), fc.array(spice, { maxLength: 10 }))
      .map(([lines, parts]) => lines.join('\r\n') + parts.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
)

it('5,000 hostile answers: the same result in any pieces, and never a throw', () => {
  fc.assert(
    fc.property(answer, fc.array(fc.nat(400), { maxLength: 20 }), fc.constantFrom('GET', 'HEAD'), (text, points, method) => {
      const bytes = Buffer.from(text, 'latin1')
      expect(read(cut(bytes, points), method, 256)).toEqual(read([bytes], method, 256))
    }),
    { numRuns: 5_000 },
  )
})

const field = fc.tuple(
  fc.constantFrom('X-A', 'x-b', 'Server', 'Set-Cookie', 'Content-Type'),
  fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
)
const valid = fc.record({
  status: fc.constantFrom(200, 201, 204, 206, 301, 304, 404, 500),
  fields: fc.array(field, { maxLength: 6 }),
  body: fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', '\xff', ' '), maxLength: 60 }),
  framing: fc.constantFrom('length', 'chunked', 'close'),
  pieces: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 12 }),
  points: fc.array(fc.nat(300), { maxLength: 8 }),
})

/** What node:http makes of the same bytes. */
async function readByNode(bytes: Buffer): Promise<{ status: number; fields: readonly string[]; body: string }> {
  const server = net.createServer((socket) => socket.once('data', () => socket.end(bytes))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const request = http.get({ port: (server.address() as AddressInfo).port, agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return { status: response.statusCode ?? 0, fields: response.rawHeaders, body: Buffer.concat(chunks).toString('latin1') }
  } finally {
    server.close()
  }
}

it('300 proper answers: read as node:http reads them', async () => {
  await fc.assert(
    fc.asyncProperty(valid, async ({ status, fields, body, framing, pieces, points }) => {
      const bodiless = status === 204 || status === 304
      const lines = [`HTTP/1.1 ${status} Words`, ...fields.map(([name, value]) => `${name}: ${value}`)]
      let payload = bodiless ? '' : body
      if (framing === 'length' && !bodiless) lines.push(`Content-Length: ${body.length}`)
      if (framing === 'chunked' && !bodiless) {
        lines.push('Transfer-Encoding: chunked')
        let left = body
        payload = ''
        for (let at = 0; left !== ''; at++) {
          const piece = left.slice(0, pieces[at % pieces.length])
          left = left.slice(piece.length)
          payload += `${piece.length.toString(16)}\r\n${piece}\r\n`
        }
        payload += '0\r\n\r\n'
      }
      const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${payload}`, 'latin1')
      const ours = read(cut(bytes, points))
      const theirs = await readByNode(bytes)
      expect(ours).toMatchObject({ bad: false, proper: true, body: theirs.body, heads: [{ status: theirs.status }] })
      const passed = theirs.fields.flatMap((name, at) =>
        at % 2 === 0 && !/^(?:content-length|transfer-encoding)$/i.test(name) ? [[name, theirs.fields[at + 1]]] : [],
      )
      expect(ours.heads[0]?.fields).toEqual(passed)
    }),
    { numRuns: 300 },
  )
})
