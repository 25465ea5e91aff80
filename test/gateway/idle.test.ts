// PRX-34, PRX-35: ten thousand idle connections, and bodies that trickle: bounded in number and memory; what was open works, other cells notice nothing.
import type { Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { allow, cleanUp, dial, httpResponder, readUntil, rig, route, witness, type Rig } from './fixtures/rig.ts'

afterEach(cleanUp)

const get = 'GET / HTTP/1.1\r\nHost: good.test\r\n\r\n'

async function open(settings = {}): Promise<Rig> {
  const outside = await witness(httpResponder())
  return rig({ rules: [allow('good.test')], routes: [route('good.test', 80, outside.port)], settings })
}

async function asks(socket: Socket): Promise<string> {
  socket.write(get)
  return readUntil(socket, (text) => text.includes('hello from outside'))
}

it('of 10,000 idle connections 4,096 are held and the rest refused at once; a used one goes on, another cell too, and all is well again after', async () => {
  const [cell, other] = [await open(), await open()]
  const used = await cell.connect('good.test', 80)
  expect(await asks(used)).toMatch(/^HTTP\/1\.1 200 /)
  const address = (await cell.lookup('good.test')) ?? ''
  const port = cell.port('transparent', 80)
  const before = process.memoryUsage().rss
  const idle: Socket[] = []
  while (idle.length < 10_000) idle.push(...(await Promise.all(Array.from({ length: 200 }, () => dial(port, address)))))
  for (const socket of idle) socket.resume()
  const refused = (): number => cell.gateway.stats().refused.find(({ code }) => code === 'too-many-connections')?.count ?? 0
  await expect.poll(refused, { timeout: 20_000 }).toBe(10_000 - 4_095)
  await expect.poll(() => idle.filter((socket) => socket.destroyed).length, { timeout: 20_000 }).toBe(10_000 - 4_095)
  // Both ends of each lie in this process: some 20 KB for all of it.
  expect(process.memoryUsage().rss - before).toBeLessThan(300e6)
  expect(await asks(used)).toMatch(/^HTTP\/1\.1 200 /)
  expect(await asks(await other.connect('good.test', 80))).toMatch(/^HTTP\/1\.1 200 /)
  expect(cell.events.length).toBeLessThan(20)
  for (const socket of idle) socket.destroy()
  await expect.poll(async () => asks(await dial(port, address)), { timeout: 20_000 }).toMatch(/^HTTP\/1\.1 200 /)
})

it('an idle connection that never asks is closed at its time, a body that trickles holds nobody else up', async () => {
  const cell = await open({ keepAliveMilliseconds: 200, headMilliseconds: 200 })
  const quiet = await cell.connect('good.test', 80)
  expect(await readUntil(quiet, () => false)).toBe('')
  const slow = await Promise.all(Array.from({ length: 50 }, () => cell.connect('good.test', 80)))
  for (const socket of slow) socket.write('POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 1000\r\n\r\nx')
  const started = performance.now()
  expect(await asks(await cell.connect('good.test', 80))).toMatch(/^HTTP\/1\.1 200 /)
  expect(performance.now() - started).toBeLessThan(2_000)
})
