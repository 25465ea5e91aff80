// How much is on its way through TLS that is ended: what the cell does not read waits at the server, ends pass, connections are kept.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import tls from 'node:tls'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { makeAuthority } from '../../attacks/witnesses.ts'
import { endedRig, plainRoute } from '../fixtures/ended.ts'
import { allow, cleanUp, readUntil, rig, route, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

const request = 'GET / HTTP/1.1\r\nHost: good.test\r\n\r\n'
const size = 100 * 1_048_576

it('an answer of 100 MB that the cell does not read stops at the server, and passes whole once it is read', async () => {
  const own = makeAuthority()
  const piece = Buffer.alloc(1_048_576, 'anchorhold ')
  let given = 0
  const full = Promise.withResolvers<void>()
  const outside = tls.createServer(own.server('good.test'), (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      const pump = (): void => {
        while (given < size) {
          given += piece.length
          if (!socket.write(piece)) break
        }
        if (given === size) return
        // No drain within a second: the way is full.
        const late = setTimeout(full.resolve, 1_000)
        socket.once('drain', () => {
          clearTimeout(late)
          pump()
        })
      }
      pump()
    })
  })
  outside.listen(0, '127.0.0.1')
  await once(outside, 'listening')
  onTestFinished(() => void outside.close())
  const cell = await endedRig({
    rules: [allow('good.test', { methods: ['GET'] })],
    routes: [route('good.test', 443, (outside.address() as AddressInfo).port)],
    hostEnv: { NODE_EXTRA_CA_CERTS: own.file },
  })
  const socket = await cell.tls()
  const before = process.memoryUsage.rss()
  socket.pause().write(request)
  await full.promise
  // What the kernel holds on two connections and the gateway's own bound; far from the whole.
  expect(given).toBeLessThan(40 * 1_048_576)
  const hash = createHash('sha256')
  let head = ''
  let got = 0
  let highest = 0
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      const end = head.includes('\r\n\r\n') ? 0 : chunk.indexOf('\r\n\r\n') + 4
      head += chunk.toString('latin1', 0, end)
      hash.update(chunk.subarray(end))
      got += chunk.length - end
      highest = Math.max(highest, process.memoryUsage.rss())
      if (got >= size) resolve()
    })
    socket.resume()
  })
  const expected = createHash('sha256')
  for (let at = 0; at < size; at += piece.length) expected.update(piece)
  expect([got, hash.digest('hex')]).toEqual([size, expected.digest('hex')])
  // Cell, gateway and server are one process here.
  expect(highest - before).toBeLessThan(150 * 1_048_576)
}, 60_000)

it.each(['the server', 'the cell'])('the end of a WebSocket by %s arrives at the other side, behind all that was said', async (who) => {
  let server: Socket | undefined
  const outside = await witness((socket) => {
    server = socket
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n'),
    )
  })
  const cell = await endedRig({ rules: [allow('good.test')], routes: [plainRoute('good.test', 443, outside.port)] })
  const socket = await cell.tls()
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: good.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  await readUntil(socket, (text) => text.includes('\r\n\r\n'))
  if (server === undefined) throw new Error('the server was not reached')
  const [from, to] = who === 'the server' ? [server, socket] : [socket, server]
  const said = readUntil(to, () => false)
  from.end('the last word')
  expect(await said).toMatch(/the last word$/)
})

it('a hundred requests at once, time and again, make each connection to the server once', async () => {
  const outside = await witness((socket) => socket.on('data', () => waiting.push(socket)))
  const waiting: Socket[] = []
  const cell = await rig({ rules: [allow('good.test')], routes: [route('good.test', 80, outside.port)] })
  const sockets = await Promise.all(Array.from({ length: 100 }, () => cell.connect('good.test', 80)))
  for (let round = 0; round < 3; round++) {
    const answered = sockets.map((socket) => readUntil(socket, (text) => text.endsWith('ok')))
    const asked = sockets.map((socket) => void socket.write(request))
    while (waiting.length < asked.length) await new Promise((resolve) => setImmediate(resolve))
    for (const server of waiting.splice(0)) server.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    await Promise.all(answered)
  }
  expect(outside.hits.length).toBe(100)
})
