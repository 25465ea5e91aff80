// NET-08, PRX-01..05: names are judged before they are answered, and nobody outside is asked.
import dgram from 'node:dgram'
import { once } from 'node:events'
import packet from 'dns-packet'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { allow, askDns, cleanUp, deny, dial, exchange, readUntil, rig } from '../fixtures/rig.ts'

afterEach(cleanUp)

it('gives each allowed name one address of its own, stable, and asks nobody outside', async () => {
  const cell = await rig({ rules: [allow('good.test'), allow('*.wild.test:8443')] })
  const good = await cell.lookup('good.test')
  expect(good).toMatch(/^127\.77\./)
  expect(await cell.lookup('GOOD.test')).toBe(good)
  expect(await cell.lookup('a.wild.test')).not.toBe(good)
  expect(cell.names).toEqual([])
})

it('answers allowed names without records of other types, so that clients go on with A', async () => {
  const cell = await rig({ rules: [allow('good.test')] })
  for (const type of ['AAAA', 'HTTPS', 'TXT'] as const)
    expect(await askDns(cell.port('dns'), 'good.test', type)).toMatchObject({ rcode: 'NOERROR', count: 0 })
})

it.each([
  'evil.test',
  'wild.test',
  'evilwild.test',
  'good.test.evil.test',
  'xgood.test',
  'goodxtest',
  'nonce-123.exfil.test',
  'denied.wild.test',
  'host.anchorhold.internal',
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
])('does not know %s', async (name) => {
  const cell = await rig({ rules: [allow('good.test'), allow('*.wild.test'), deny('denied.wild.test')] })
  expect(await askDns(cell.port('dns'), name)).toMatchObject({ rcode: 'NXDOMAIN', count: 0 })
  expect(cell.names).toEqual([])
  expect(cell.gateway.stats().refused).toHaveLength(1)
})

it('with an empty policy knows no name at all', async () => {
  const cell = await rig()
  expect(await askDns(cell.port('dns'), 'good.test')).toMatchObject({ rcode: 'NXDOMAIN' })
})

it('answers the self-test, which asks for the root, without a line in the journal', async () => {
  const cell = await rig()
  for (const type of ['A', 'TXT'] as const) expect(await askDns(cell.port('dns'), '.', type)).toMatchObject({ rcode: 'NXDOMAIN', count: 0 })
  expect(cell.gateway.stats().refused).toEqual([])
})

it('localhost is the cell itself', async () => {
  const cell = await rig()
  expect(await cell.lookup('localhost')).toBe('127.0.0.1')
  expect(await cell.lookup('app.localhost')).toBe('127.0.0.1')
})

it('tells a refused name once, however often it is asked, and counts', async () => {
  const cell = await rig()
  for (let i = 0; i < 20; i++) await askDns(cell.port('dns'), 'evil.test')
  expect(cell.events).toHaveLength(1)
  expect(cell.events[0]).toMatchObject({
    kind: 'network.refused',
    how: 'dns',
    host: 'evil.test',
    code: 'not-listed',
    remedy: expect.stringContaining('--allow evil.test'),
  })
  expect(cell.gateway.stats().refused).toMatchObject([{ count: 20 }])
})

it('bounds what ten thousand names write', async () => {
  const cell = await rig({ settings: { maxRefusedRows: 50 } })
  const socket = await dial(cell.port('dns-tcp'))
  for (let i = 0; i < 3_000; i++) {
    const query = packet.encode({ type: 'query', id: i, questions: [{ type: 'A', name: `n${i}.exfil.test` }] })
    socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 255]), query]))
  }
  let bytes = 0
  await new Promise<void>((resolve) => socket.on('data', (chunk: Buffer) => ((bytes += chunk.length) > 3_000 * 30 ? resolve() : undefined)))
  expect(cell.events.length).toBeLessThanOrEqual(51)
  expect(cell.gateway.stats()).toMatchObject({ refusedMore: expect.any(Number) })
})

it('is out of addresses rather than giving one out twice', async () => {
  const cell = await rig({ rules: [allow('*.wild.test')], settings: { synthetic: { first: '127.77.0.2', count: 2 } } })
  const first = await cell.lookup('a.wild.test')
  await cell.lookup('b.wild.test')
  expect(await askDns(cell.port('dns'), 'c.wild.test')).toMatchObject({ rcode: 'SERVFAIL' })
  expect(await cell.lookup('a.wild.test')).toBe(first)
})

it('answers over TCP, several queries in one piece and one in several', async () => {
  const cell = await rig({ rules: [allow('good.test')] })
  const query = packet.streamEncode({ type: 'query', id: 9, questions: [{ type: 'A', name: 'good.test' }] })
  const socket = await dial(cell.port('dns-tcp'))
  socket.write(Buffer.concat([query, query.subarray(0, 5)]))
  await new Promise((resolve) => setTimeout(resolve, 5))
  socket.write(query.subarray(5))
  const text = await readUntil(socket, (all) => all.length >= 2 * 45)
  const first = packet.streamDecode(Buffer.from(text, 'latin1'))
  expect(first?.answers?.[0]).toMatchObject({ type: 'A', name: 'good.test' })
})

it('speaks EDNS where it is asked to', async () => {
  const cell = await rig({ rules: [allow('good.test')] })
  const socket = dgram.createSocket('udp4')
  socket.send(
    packet.encode({
      type: 'query',
      id: 3,
      questions: [{ type: 'A', name: 'good.test' }],
      additionals: [
        { type: 'OPT', name: '.', udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
      ],
    }),
    cell.port('dns'),
    '127.0.0.1',
  )
  const [bytes] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  expect(packet.decode(bytes).additionals?.[0]).toMatchObject({ type: 'OPT', udpPayloadSize: 1232 })
})

it('drops what is no query, and goes on', async () => {
  const cell = await rig({ rules: [allow('good.test')] })
  const socket = dgram.createSocket('udp4')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      socket.send(bytes, cell.port('dns'), '127.0.0.1')
    }),
    { numRuns: 60 },
  ) // fewer than the socket's buffer holds
  const loop = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1])
  socket.send(loop, cell.port('dns'), '127.0.0.1')
  expect(await cell.lookup('good.test')).toBeDefined()
  socket.close()
  const tcp = await dial(cell.port('dns-tcp'))
  expect(await exchange(tcp, Buffer.from([0xff, 0xff, 1]))).toBe('')
})

it('writes no raw byte of a name into the journal', async () => {
  const cell = await rig()
  await askDns(cell.port('dns'), 'evil\x1b[31m\u202e\n.test')
  const [event] = cell.events
  expect(event).toMatchObject({ kind: 'network.refused', code: 'bad-name' })
  expect(JSON.stringify(event)).toMatch(/^[\x20-\x7e]*$/)
})
