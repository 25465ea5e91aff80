// TLS that is read into memory used again: every byte once, in order, unchanged for as long as it is being written from; an end loses none.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { makeAuthority } from '../attacks/witnesses.ts'
import { Gathering } from '../../src/gateway/gathering.ts'
import { makeBuffers } from '../../src/gateway/tunnel/buffers.ts'

/** No period that a block or a record could hide behind. */
function pattern(bytes: number): Buffer {
  const made = Buffer.alloc(bytes)
  for (let at = 0, state = 1; at < bytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    made[at] = state >>> 24
  }
  return made
}

interface Served {
  readonly port: number
  readonly ca: Buffer
  /** Bytes that the server's socket was given so far. */
  given(): number
}

async function serve(what: Buffer, sizes: readonly number[]): Promise<Served> {
  const own = makeAuthority()
  let given = 0
  const server = tls.createServer(own.server('good.test'), (socket) => {
    socket.on('error', () => undefined)
    let turn = 0
    const pump = (): void => {
      for (;;) {
        const piece = what.subarray(given, given + (sizes[turn++ % sizes.length] ?? 1))
        given += piece.length
        if (given === what.length) return void socket.end(piece)
        if (!socket.write(piece)) return void socket.once('drain', pump)
      }
    }
    pump()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, ca: readFileSync(own.file), given: () => given }
}

async function open(served: Served, gathering: Gathering): Promise<tls.TLSSocket> {
  const how = { host: '127.0.0.1', port: served.port, servername: 'good.test', ca: served.ca, onread: gathering.onRead }
  const socket = tls.connect(how as tls.ConnectionOptions)
  socket.on('error', () => undefined)
  socket.pause()
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  expect(gathering.used).toBe(true)
  return socket
}

const ways: readonly (readonly [name: string, sizes: readonly number[]])[] = [
  ['whole blocks', [1_048_576]],
  ['full records and single bytes in turn', [16_384, 1, 40_000, 16_383, 65_537]],
  ['small pieces', [100, 7, 3_000]],
]

it.each(ways)('%s: every byte once and in order, taken at once', async (_name, sizes) => {
  const what = pattern(1_000_000)
  const served = await serve(what, sizes)
  const gathering = new Gathering(makeBuffers(), () => undefined)
  const pieces: Buffer[] = []
  gathering.taker = (piece) => {
    pieces.push(Buffer.from(piece))
    return true
  }
  const socket = await open(served, gathering)
  gathering.attach(socket)
  socket.resume()
  await once(socket, 'end')
  expect(Buffer.concat(pieces).equals(what)).toBe(true)
})

it.each(ways)('%s: what was handed on stays unchanged until it was taken, and the end comes behind the last byte', async (_name, sizes) => {
  const what = pattern(1_000_000)
  const served = await serve(what, sizes)
  const gathering = new Gathering(makeBuffers(), () => undefined)
  const late: Buffer[] = []
  let ended = false
  let early = 0
  let turn = 0
  gathering.taker = (piece) => {
    if (ended) early += 1
    const at = Buffer.concat(late).length
    expect(piece.equals(what.subarray(at, at + piece.length))).toBe(true)
    turn += 1
    if (turn % 3 === 0) {
      late.push(Buffer.from(piece))
      return true
    }
    const index = late.push(Buffer.alloc(piece.length)) - 1
    // Read only when it is given back, as a write under way would.
    const back = (): void => {
      late[index] = Buffer.from(piece)
      gathering.resume()
    }
    if (turn % 3 === 1) setImmediate(back)
    else setTimeout(back, 1)
    return false
  }
  const socket = await open(served, gathering)
  gathering.attach(socket)
  socket.on('end', () => (ended = true))
  socket.resume()
  await once(socket, 'close')
  await sleep(50)
  expect(early).toBe(0)
  expect(Buffer.concat(late).equals(what)).toBe(true)
})

it('whoever does not take it holds the server, not memory', async () => {
  const served = await serve(Buffer.alloc(200 * 1_048_576), [1_048_576])
  const gathering = new Gathering(makeBuffers(), () => undefined)
  let pieces = 0
  gathering.taker = () => {
    pieces += 1
    return false
  }
  const socket = await open(served, gathering)
  gathering.attach(socket)
  socket.resume()
  let before = -1
  while (served.given() !== before) {
    before = served.given()
    await sleep(300)
  }
  expect(pieces).toBe(1)
  // What two kernels' queues hold.
  expect(served.given()).toBeLessThan(40 * 1_048_576)
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(250 * 1_048_576)
})
