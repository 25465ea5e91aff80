// Both ways at once and without holding: events pass as they come, an upload waits for a server that does not read.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { allow, cleanUp, readUntil, rig, route, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

async function open(respond: (socket: Socket) => void) {
  const outside = await witness(respond)
  const cell = await rig({ rules: [allow('good.test')], routes: [route('good.test', 80, outside.port)] })
  return { outside, socket: await cell.connect('good.test', 80) }
}

it('a server-sent event passes at once, and the next one later', async () => {
  let server: Socket | undefined
  const { socket } = await open((connection) => {
    server = connection
    connection.once('data', () =>
      connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n'),
    )
  })
  socket.write('GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')
  expect(await readUntil(socket, (text) => text.includes('data: 1'))).toContain('text/event-stream')
  server?.write('9\r\ndata: 2\n\n\r\n0\r\n\r\n')
  expect(await readUntil(socket, (text) => text.endsWith('0\r\n\r\n'))).toContain('data: 2')
})

it('an upload of 100 MB that nobody reads stops at the cell, and passes whole once it is read', async () => {
  const size = 100_000_000
  let server: Socket | undefined
  const { socket } = await open((connection) => {
    server = connection
    connection.removeAllListeners('data').pause()
  })
  socket.write(`POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: ${size}\r\n\r\n`)
  const block = Buffer.alloc(1_000_000, 120)
  let taken = 0
  for (let sent = 0; sent < size && taken === sent; sent += block.length) {
    const more = socket.write(block)
    // A drain that does not come within a second: the way is full.
    const drained =
      more ||
      (await Promise.race([
        once(socket, 'drain').then(() => true),
        new Promise<false>((resolve) => setTimeout(() => resolve(false), 1_000)),
      ]))
    if (drained) taken += block.length
  }
  // What the kernel holds on two connections and the gateway's own bound; far from the whole.
  expect(taken).toBeLessThan(30_000_000)
  let received = 0
  const whole = new Promise<void>((resolve) =>
    server?.on('data', (chunk: Buffer) => ((received += chunk.length) >= size ? resolve() : undefined)),
  )
  server?.resume()
  for (let sent = taken + block.length; sent < size; sent += block.length) if (!socket.write(block)) await once(socket, 'drain')
  await whole
  expect(received).toBeGreaterThanOrEqual(size)
})
