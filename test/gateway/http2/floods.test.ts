// HTTP/2 by hand: what a client may send without end and without asking for anything (PRX-33, PRX-35). A connection that does is ended or read on
// in bounded memory; the server sees nothing of it, and the next connection is served.
import { afterEach, expect, it } from 'vitest'
import type { TLSSocket } from 'node:tls'
import { endedRig, plainRoute } from '../fixtures/ended.ts'
import { allow, cleanUp, httpResponder, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

/** One frame (RFC 9113 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)])
/** GET https://good.test/ in HPACK: three fields of the static table, one literal. */
const getRoot = Buffer.concat([Buffer.from([0x82, 0x87, 0x84, 0x41, 9]), Buffer.from('good.test')])
const postRoot = Buffer.concat([Buffer.from([0x83, 0x87, 0x84, 0x41, 9]), Buffer.from('good.test')])
/** A literal of 4,000 bytes that enters the table, and 8,000 references to it: 32 MB in 12 KB (CVE-2016-1544, -6581). */
const bomb = Buffer.concat([
  Buffer.from([0x40, 1, 0x78, 0x7f, ...varint(4_000 - 127)]),
  Buffer.alloc(4_000, 'a'),
  Buffer.alloc(8_000, 0x80 | 62),
])

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let left = value; ; left >>= 7) {
    bytes.push(left > 127 ? (left & 127) | 128 : left)
    if (left <= 127) return bytes
  }
}

/** Frames of a flood, one at a time, for as long as the connection stands. */
const floods: readonly (readonly [name: string, make: (at: number) => Buffer])[] = [
  ['CONTINUATION without end (CVE-2024-27983)', (at) => (at === 0 ? frame(1, 1, 1, getRoot) : frame(9, 0, 1, literal(at)))],
  ['empty CONTINUATION frames', (at) => (at === 0 ? frame(1, 1, 1, getRoot) : frame(9, 0, 1))],
  [
    'a table that unfolds',
    (at) => frame(1, 5, 2 * at + 1, at === 0 ? Buffer.concat([getRoot, bomb]) : Buffer.concat([getRoot, Buffer.alloc(8_000, 0x80 | 62)])),
  ],
  [
    'streams that the client makes the gateway reset (CVE-2025-8671)',
    (at) => Buffer.concat([frame(1, 5, 2 * at + 1, getRoot), frame(8, 0, 2 * at + 1, Buffer.alloc(4))]),
  ],
  ['malformed streams', (at) => frame(1, 5, 2 * at + 1, Buffer.concat([getRoot, Buffer.from([0x40, 1, 0x41, 1, 0x62])]))],
  ['SETTINGS (CVE-2019-9515)', () => frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0xff, 0xff]))],
  ['PING (CVE-2019-9512)', () => frame(6, 0, 0, Buffer.alloc(8, 1))],
]

function literal(at: number): Buffer {
  const name = `x-${at}`
  return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([100]), Buffer.alloc(100, 'a')])
}

async function open() {
  const outside = await witness(httpResponder())
  const cell = await endedRig({ rules: [allow('good.test')], routes: [plainRoute('good.test', 443, outside.port)] })
  return { outside, cell }
}

/** Sends what it makes until there was enough, or the connection is over; how much was sent. */
async function flood(socket: TLSSocket, start: Buffer, make: (at: number) => Buffer, most: number): Promise<number> {
  const over = new AbortController()
  const end = (): void => over.abort()
  socket.on('close', end).on('end', end).on('error', end)
  socket.resume()
  socket.write(start)
  let sent = 0
  while (!over.signal.aborted && sent < most) {
    socket.write(Buffer.concat(Array.from({ length: 50 }, (_, at) => make(sent + at))))
    sent += 50
    await new Promise((resolve) => setImmediate(resolve))
    while (!over.signal.aborted && socket.writableLength > 1_000_000) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return sent
}

it.each(floods)('%s end the connection; another one is served', async (_name, make) => {
  const { outside, cell } = await open()
  const before = process.memoryUsage().rss
  const socket = await cell.tls({ alpn: ['h2'] })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()).once('end', resolve))
  expect(await flood(socket, preface, make, 200_000)).toBeLessThan(200_000)
  await closed
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  expect(outside.text()).not.toMatch(/^x/m)
  const patient = await cell.tls({ alpn: ['h2'] })
  patient.write(Buffer.concat([preface, frame(1, 5, 1, getRoot)]))
  await expect.poll(() => outside.text()).toContain('GET / ')
})

/** What costs the client as much as the gateway: read on, in bounded memory. */
const steady: readonly (readonly [name: string, start: Buffer, make: (at: number) => Buffer])[] = [
  ['empty DATA frames (CVE-2019-9518)', frame(1, 4, 1, postRoot), () => frame(0, 0, 1)],
  ['DATA of padding alone', frame(1, 4, 1, postRoot), () => frame(0, 8, 1, Buffer.from([0]))],
  [
    'PRIORITY of streams that are not there (CVE-2019-9513)',
    Buffer.alloc(0),
    (at) => frame(2, 0, 2 * (at % 1_000_000) + 1, Buffer.from([0, 0, 0, 0, 1])),
  ],
  ['windows that grow by one', Buffer.alloc(0), () => frame(8, 0, 0, Buffer.from([0, 0, 0, 1]))],
  ['frames of no known type', Buffer.alloc(0), () => frame(0xbb, 0, 0, Buffer.alloc(64))],
]

it.each(steady)('%s cost bounded memory, and nobody else waits', async (_name, start, make) => {
  const { outside, cell } = await open()
  const socket = await cell.tls({ alpn: ['h2'] })
  const before = process.memoryUsage().rss
  await flood(socket, Buffer.concat([preface, start]), make, 100_000)
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  const patient = await cell.tls({ alpn: ['h2'] })
  patient.write(Buffer.concat([preface, frame(1, 5, 1, getRoot)]))
  await expect.poll(() => outside.text()).toContain('GET / ')
})
