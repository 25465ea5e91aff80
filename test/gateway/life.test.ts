// PRX-34, PRX-35, PRX-36, PRX-37, PRX-43, PRX-46: many, slow, broken and dead connections.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { allow, cleanUp, dial, exchange, httpResponder, readUntil, rig, route, witness } from './fixtures/rig.ts'

afterEach(cleanUp)

async function echo(settings = {}) {
  const outside = await witness((socket) => {
    socket.on('data', (chunk) => socket.write(chunk))
    socket.on('end', () => socket.end())
  })
  return {
    outside,
    cell: await rig({ rules: [allow('good.test:22')], routes: [route('good.test', 22, outside.port)], ports: [22], settings }),
  }
}

it('5,000 connections, one after the other in groups, all served, none left', async () => {
  const { outside, cell } = await echo()
  const address = (await cell.lookup('good.test')) ?? ''
  const port = cell.port('transparent', 22)
  for (let group = 0; group < 50; group++) {
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = await dial(port, address)
        socket.end('ping')
        expect(await readUntil(socket, () => false)).toBe('ping')
        socket.destroy()
      }),
    )
  }
  expect(outside.hits).toHaveLength(5_000)
  while (outside.hits.some(({ socket }) => !socket.destroyed)) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(cell.gateway.stats().allowed).toMatchObject([{ connections: 5_000 }])
})

it('a bound on connections refuses the next one at once, and serves again when one ends', async () => {
  const { cell } = await echo({ maxConnections: 20 })
  const held: Socket[] = []
  for (let i = 0; i < 20; i++) {
    const socket = await cell.connect('good.test', 22)
    socket.write('x')
    await readUntil(socket, (text) => text === 'x')
    held.push(socket)
  }
  expect(await exchange(await cell.connect('good.test', 22), 'x')).toBe('')
  for (const socket of held) socket.destroy()
  for (let tries = 0; tries < 200; tries++) {
    const socket = await cell.connect('good.test', 22)
    socket.write('y')
    if ((await readUntil(socket, (text) => text === 'y')) === 'y') return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('never served again')
})

it('ends of one side go on, in both directions', async () => {
  const { cell } = await echo()
  const socket = await cell.connect('good.test', 22)
  socket.end(Buffer.alloc(3_000_000, 7))
  let bytes = 0
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
  await once(socket, 'end')
  expect(bytes).toBe(3_000_000)
  while (!cell.events.some((event) => event.kind === 'network.closed')) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(cell.events.find((event) => event.kind === 'network.closed')).toMatchObject({
    host: 'good.test',
    port: 22,
    how: 'tcp',
    sent: 3_000_000,
    received: 3_000_000,
  })
})

it('the server may end first while the cell still sends', async () => {
  const outside = await witness((socket) => void socket.end('bye'))
  const cell = await rig({ rules: [allow('good.test:22')], routes: [route('good.test', 22, outside.port)], ports: [22] })
  const socket = await cell.connect('good.test', 22)
  expect(await readUntil(socket, () => false)).toBe('bye')
  socket.end('still here')
  while (outside.text() !== 'still here') await new Promise((resolve) => setTimeout(resolve, 2))
})

it('a reset of the server is a reset for the cell, and the other way round', async () => {
  const outside = await witness((socket) => void socket.on('data', () => socket.resetAndDestroy()))
  const cell = await rig({ rules: [allow('good.test:22')], routes: [route('good.test', 22, outside.port)], ports: [22] })
  const socket = await cell.connect('good.test', 22)
  const failed = once(socket, 'error').catch((error: unknown) => error)
  const closed = new Promise<boolean>((resolve) => socket.on('close', resolve))
  socket.resume()
  socket.write('x')
  expect(await closed).toBe(true)
  await failed.then(
    () => undefined,
    () => undefined,
  )
  const other = await echo()
  const second = await other.cell.connect('good.test', 22)
  second.write('x')
  await readUntil(second, (text) => text === 'x')
  const [hit] = other.outside.hits
  const gone = hit === undefined ? Promise.resolve() : new Promise((resolve) => hit.socket.on('close', resolve))
  second.resetAndDestroy()
  await gone
})

it('programs that are gone before their server is there leave nothing open on either side', async () => {
  const { outside, cell } = await echo()
  const gone: ((socket: Socket) => void)[] = [
    (socket) => socket.resetAndDestroy(),
    (socket) => socket.destroy(),
    (socket) => socket.end('last words'),
    (socket) => socket.write('x', () => socket.resetAndDestroy()),
  ]
  const port = cell.port('transparent', 22)
  const address = (await cell.lookup('good.test')) ?? ''
  for (let times = 0; times < 25; times++)
    await Promise.all(
      gone.map(async (leave) => {
        const socket = await dial(port, address)
        socket.resume()
        leave(socket)
      }),
    )
  const count = (what: string): number => cell.events.filter(({ kind }) => kind === what).length
  await expect.poll(() => count('network.closed'), { timeout: 5_000 }).toBe(100)
  expect(count('network.allowed')).toBe(100)
  await expect.poll(() => outside.hits.filter(({ socket }) => socket.destroyed).length, { timeout: 5_000 }).toBe(outside.hits.length)
  expect(outside.text().match(/last words/g)).toHaveLength(25)
})

it('a reader that stalls holds the writer, not the memory', async () => {
  let accepted = 0
  const chunk = Buffer.alloc(1 << 20)
  const outside = await witness((socket) => {
    const go = (): void => {
      while (socket.write(chunk) && accepted < 400) accepted++
      if (accepted < 400) socket.once('drain', go)
    }
    go()
  })
  const cell = await rig({ rules: [allow('good.test:22')], routes: [route('good.test', 22, outside.port)], ports: [22] })
  const socket = await cell.connect('good.test', 22)
  socket.pause()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(accepted).toBeLessThan(60)
})

it('quiet tunnels are closed at their bound, slow heads at theirs', async () => {
  const { cell } = await echo({ idleMilliseconds: 60, headMilliseconds: 60 })
  const socket = await cell.connect('good.test', 22)
  socket.write('x')
  expect(await readUntil(socket, () => false)).toBe('x')
  const slow = await dial(cell.port('http-proxy'))
  slow.write('GET http://good')
  expect(await readUntil(slow, () => false)).toMatch(/^HTTP\/1\.1 408 |^$/)
  expect(await exchange(await dial(cell.port('socks-proxy')), Buffer.from([5]))).toBe('')
})

it('closing closes everything: nothing is answered after it, and open tunnels are cut', async () => {
  const { cell } = await echo()
  const socket = await cell.connect('good.test', 22)
  socket.write('x')
  await readUntil(socket, (text) => text === 'x')
  const port = cell.port('http-proxy')
  const cut = new Promise((resolve) => socket.on('close', resolve))
  socket.resume()
  await cell.close()
  socket.end()
  await cut
  const late = await dial(port)
  expect(late.readyState).not.toBe('open')
})

it('without a journal nothing goes out', async () => {
  const outside = await witness(httpResponder())
  const cell = await rig({
    rules: [allow('good.test')],
    routes: [route('good.test', 80, outside.port)],
    emit: () => {
      throw new Error('disk full')
    },
  })
  const answer = await exchange(await cell.connect('good.test', 80), 'GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')
  expect(answer).toBe('')
  expect(outside.text()).toBe('')
})

it('a cell that is gone before the name is resolved is not dialled for', async () => {
  let resolve: (addresses: string[]) => void = () => undefined
  const cell = await rig({ rules: [allow('good.test')], hostResolver: () => new Promise((done) => (resolve = done)) })
  const socket = await dial(cell.port('http-proxy'))
  socket.write('CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\n\r\n')
  while (cell.names.length === 0) await new Promise((done) => setTimeout(done, 2))
  socket.resetAndDestroy()
  await new Promise((done) => setTimeout(done, 20))
  resolve(['93.184.216.34'])
  await new Promise((done) => setTimeout(done, 20))
  expect(cell.events.filter((event) => event.kind === 'network.allowed')).toEqual([])
})

it('nothing that the cell sends stands raw in the journal, and one decision is one bounded line', async () => {
  const { cell } = await echo()
  const nasty = ['a\x1b[31m', 'a\u009b31m', 'a\u202e', `a${'x'.repeat(60_000)}`, 'a"\\<script>']
  for (const text of nasty) await exchange(await dial(cell.port('http-proxy')), `CONNECT ${text}:443 HTTP/1.1\r\nHost: ${text}:443\r\n\r\n`)
  for (const text of nasty)
    await exchange(
      await dial(cell.port('socks-proxy')),
      Buffer.concat([
        Buffer.from([5, 1, 0, 5, 1, 0, 3, Math.min(255, text.length)]),
        Buffer.from(text.slice(0, 255), 'latin1'),
        Buffer.from([1, 187]),
      ]),
    )
  expect(cell.events.length).toBeGreaterThan(0)
  for (const event of cell.events) expect(JSON.stringify(event)).toMatch(/^[\x20-\x7e\u2026]{1,2000}$/)
})
