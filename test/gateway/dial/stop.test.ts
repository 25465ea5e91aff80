// The bound on a dial: its own time, or the end of the gateway, whichever is first; and nothing of it is left afterwards.
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { makeDeadlines } from '../../../src/gateway/deadlines.ts'
import { makeInTime, type Stop } from '../../../src/gateway/dial/stop.ts'
import { endedRig } from '../fixtures/ended.ts'
import { allow, cleanUp, readUntil, rig, route } from '../fixtures/rig.ts'

const forever = (stop: Stop): Promise<never> => new Promise((_, reject) => stop.wait(() => reject(new Error('stopped'))))

it('what is not done in its time is stopped, each for itself', async () => {
  const inTime = makeInTime(makeDeadlines(10), 50, new AbortController().signal)
  const late = inTime(forever)
  expect(await inTime(() => Promise.resolve('done'))).toBe('done')
  await expect(late).rejects.toThrow('stopped')
})

it('what is done is not stopped any more', async () => {
  const closing = new AbortController()
  const inTime = makeInTime(makeDeadlines(10), 50, closing.signal)
  const stop = await inTime((given) => Promise.resolve(given))
  let told = false
  stop.wait(() => (told = true))
  await expect(inTime(forever)).rejects.toThrow('stopped')
  closing.abort()
  expect({ told, stopped: stop.stopped }).toEqual({ told: false, stopped: false })
})

it('closing stops what is under way, and what begins afterwards at once', async () => {
  const closing = new AbortController()
  const inTime = makeInTime(makeDeadlines(10), 60_000, closing.signal)
  const under = inTime(forever)
  closing.abort()
  await expect(under).rejects.toThrow('stopped')
  await expect(inTime(forever)).rejects.toThrow('stopped')
  await expect(makeInTime(makeDeadlines(10), 60_000, closing.signal)(forever)).rejects.toThrow('stopped')
})

/** Accepts and says nothing. */
async function silent(): Promise<number> {
  const server = net.createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

it('a server that never ends its TLS handshake is given up: the program is answered, the journal says why', async () => {
  onTestFinished(cleanUp)
  const settings = { dialMilliseconds: 200 }
  const cell = await endedRig({
    rules: [allow('good.test', { methods: ['GET'] })],
    routes: [route('good.test', 443, await silent())],
    settings,
  })
  const socket = await cell.tls()
  socket.write('GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')
  expect(await readUntil(socket, () => false)).toMatch(/^HTTP\/1\.1 504 /)
  expect(cell.events.filter(({ kind }) => kind === 'network.failed')).toMatchObject([{ host: 'good.test', port: 443, code: 'timeout' }])
})

it('a tunnel that is open is not bound by the time of its dial', async () => {
  onTestFinished(cleanUp)
  const settings = { dialMilliseconds: 50 }
  const cell = await rig({ rules: [allow('good.test:8443')], routes: [route('good.test', 8443, await silent())], ports: [8443], settings })
  const tunnel = await cell.connect('good.test', 8443)
  await expect.poll(() => cell.events.some(({ kind }) => kind === 'network.allowed')).toBe(true)
  await sleep(200)
  expect({ closed: tunnel.destroyed, events: cell.events.map(({ kind }) => kind) }).toEqual({ closed: false, events: ['network.allowed'] })
})
