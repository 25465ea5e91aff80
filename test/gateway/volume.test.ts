// Volume: bytes stay exact and memory stays bounded, whatever the pace of either side. Real sockets, a witness outside.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net, { type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { allow, cleanUp, dial, rig, route, witness, type Rig } from './fixtures/rig.ts'

afterEach(cleanUp)

/** Bytes that are different everywhere, so that a lost, doubled or swapped piece changes the hash. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0, state = 1; at + 4 <= length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes.writeUInt32LE(state, at)
  }
  return bytes
}

async function tunnelTo(port: number): Promise<{ cell: Rig; connect: () => Promise<Socket> }> {
  const cell = await rig({
    rules: [allow('up.test:9000')],
    routes: [route('up.test', 9000, port)],
    ports: [9000],
    settings: { maxConnections: 6_000 },
  })
  const address = (await cell.lookup('up.test')) ?? ''
  return { cell, connect: () => dial(cell.port('transparent', 9000), address) }
}

function hashOf(socket: Socket): Promise<{ hash: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      hash.update(chunk)
    })
    socket.on('end', () => resolve({ hash: hash.digest('hex'), bytes }))
  })
}

async function sendTimes(socket: Socket, block: Buffer, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent++) if (!socket.write(block)) await once(socket, 'drain')
  socket.end()
}

it('what the cell sends before the outside is connected arrives whole', async () => {
  const block = pattern(4_000_000)
  const arrived = Promise.withResolvers<Awaited<ReturnType<typeof hashOf>>>()
  // A company's proxy that takes its time, while the cell sends more than the gateway holds.
  const parent = net.createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () =>
      setTimeout(() => {
        void hashOf(socket).then(arrived.resolve)
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
      }, 300),
    )
  })
  parent.listen(0, '127.0.0.1')
  await once(parent, 'listening')
  const cell = await rig({
    rules: [allow('up.test:9000')],
    ports: [9000],
    hostEnv: { HTTPS_PROXY: `http://127.0.0.1:${(parent.address() as net.AddressInfo).port}` },
  })
  const socket = await cell.connect('up.test', 9000)
  socket.end(block)
  expect(await arrived.promise).toEqual({ bytes: block.length, hash: createHash('sha256').update(block).digest('hex') })
  parent.close()
})

it('one gigabyte, byte for byte, and half-closed in the end', async () => {
  const block = pattern(1 << 20)
  const outside = await witness((socket) => {
    socket.removeAllListeners('data')
    socket.resume()
    void sendTimes(socket, block, 1024)
  })
  const { cell, connect } = await tunnelTo(outside.port)
  const socket = await connect()
  let bytes = 0
  let wrong = 0
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const from = (bytes + at) % block.length
      const size = Math.min(chunk.length - at, block.length - from)
      if (chunk.compare(block, from, from + size, at, at + size) !== 0) wrong += 1
      at += size
    }
    bytes += chunk.length
  })
  await once(socket, 'end')
  expect({ bytes, wrong }).toEqual({ bytes: 2 ** 30, wrong: 0 })
  // The cell's own direction is still open.
  socket.end('bye')
  await expect.poll(() => cell.events.find((event) => event.kind === 'network.closed')).toMatchObject({ received: 2 ** 30, sent: 3 })
})

it('4,000 idle tunnels cost little each, and all go when the gateway closes', async () => {
  const count = 4_000 // four descriptors each in this process
  const outside = await witness()
  const { cell, connect } = await tunnelTo(outside.port)
  const sockets: Socket[] = []
  while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: 100 }, connect))))
  await expect.poll(() => outside.hits.length, { timeout: 30_000 }).toBe(count)
  const last = sockets.at(-1)
  last?.write('still alive')
  await expect.poll(() => outside.text()).toBe('still alive')
  // This process holds both ends of each connection as well: the bound is a coarse one.
  expect(process.memoryUsage().rss).toBeLessThan(900e6)
  await cell.close()
  await expect.poll(() => sockets.every((socket) => socket.destroyed || socket.readableEnded), { timeout: 30_000 }).toBe(true)
})
