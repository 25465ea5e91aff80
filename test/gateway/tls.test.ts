// PRX-17, PRX-25, PRX-34: the server name is checked before anything is dialled.
import { afterEach, expect, it } from 'vitest'
import { helloRecords, realHello, serverName } from './fixtures/hello.ts'
import { allow, cleanUp, exchange, readUntil, rig, route, witness } from './fixtures/rig.ts'

afterEach(cleanUp)

const alert = '\x15\x03\x03\x00\x02\x02\x70'

async function open(settings = {}) {
  const outside = await witness((socket) => void socket.write('SERVER'))
  const cell = await rig({
    rules: [allow('good.test:443'), allow('other.test:443')],
    routes: [route('good.test', 443, outside.port), route('other.test', 443, outside.port)],
    settings,
  })
  return { outside, cell }
}

it('tunnels a hello that names the judged host, byte for byte', async () => {
  const { outside, cell } = await open()
  const bytes = await realHello('good.test')
  const socket = await cell.connect('good.test', 443)
  socket.write(bytes)
  expect(await readUntil(socket, (text) => text.includes('SERVER'))).toBe('SERVER')
  expect(outside.hits[0]?.bytes.equals(bytes)).toBe(true)
})

it.each([
  ['in single bytes', 1],
  ['over many records', 0],
])('takes a hello %s', async (_how, step) => {
  const { cell } = await open()
  const bytes = step === 0 ? helloRecords({ name: 'GOOD.test.' }, 3) : helloRecords({ name: 'good.test' })
  const socket = await cell.connect('good.test', 443)
  for (const byte of step === 0 ? [bytes] : [...bytes].map((value) => Buffer.from([value]))) {
    socket.write(byte)
    if (step === 1) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await readUntil(socket, (text) => text.includes('SERVER'))).toBe('SERVER')
})

it.each([
  ['another name that is not allowed', helloRecords({ name: 'evil.test' }), 'name-mismatch'],
  ['another allowed name', helloRecords({ name: 'other.test' }), 'name-mismatch'],
  ['a name that only begins alike', helloRecords({ name: 'good.test.evil.test' }), 'name-mismatch'],
  ['a name with a NUL', helloRecords({ name: 'good.test\0.evil.test' }), 'name-mismatch'],
  ['an address', helloRecords({ name: '127.0.0.1' }), 'name-mismatch'],
  ['a name in raw UTF-8', helloRecords({ name: 'ɡood.test' }), 'name-mismatch'],
  ['no name', helloRecords({}), 'no-server-name'],
  ['two names', helloRecords({ name: 'good.test', extensions: [[0, serverName('evil.test')]] }), 'bad-hello'],
  ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: good.test\r\n\r\n'), 'not-tls'],
  [
    'another outer name before an encrypted hello',
    helloRecords({ name: 'evil.test', extensions: [[0xfe0d, Buffer.alloc(9)]] }),
    'name-mismatch',
  ],
])('refuses %s, with an alert, and dials nothing', async (_name, bytes, code) => {
  const { outside, cell } = await open()
  expect(await exchange(await cell.connect('good.test', 443), bytes)).toBe(alert)
  expect(outside.hits).toHaveLength(0)
  expect(cell.gateway.stats().refused).toEqual([expect.objectContaining({ host: 'good.test', port: 443, code, count: 1 })])
})

it('closes a connection whose hello never becomes whole', async () => {
  const { outside, cell } = await open({ headMilliseconds: 80 })
  const socket = await cell.connect('good.test', 443)
  expect(await exchange(socket, helloRecords({ name: 'good.test' }).subarray(0, 30))).toBe(alert)
  expect(outside.hits).toHaveLength(0)
})

it('refuses a tunnel to a host that is allowed for some methods or paths only', async () => {
  const outside = await witness()
  const cell = await rig({ rules: [allow('good.test', { methods: ['GET'] })], routes: [route('good.test', 443, outside.port)] })
  expect(await exchange(await cell.connect('good.test', 443), helloRecords({ name: 'good.test' }))).toBe(alert)
  expect(outside.hits).toHaveLength(0)
  expect(cell.gateway.stats().refused[0]).toMatchObject({
    code: 'needs-reading',
    remedy: expect.stringContaining('anchorhold run --allow good.test'),
  })
})

it('checks the name on port 80 as well when TLS comes there', async () => {
  const outside = await witness((socket) => void socket.write('SERVER'))
  const cell = await rig({ rules: [allow('good.test')], routes: [route('good.test', 80, outside.port)] })
  expect(await exchange(await cell.connect('good.test', 80), helloRecords({ name: 'evil.test' }))).toBe(alert)
  expect(outside.hits).toHaveLength(0)
  const socket = await cell.connect('good.test', 80)
  socket.write(helloRecords({ name: 'good.test' }))
  expect(await readUntil(socket, (text) => text.includes('SERVER'))).toBe('SERVER')
})

it('a route that wants TLS ended is refused where the session has no authority', async () => {
  const outside = await witness()
  const ended = route('good.test', 443, outside.port)
  const cell = await rig({ rules: [allow('good.test')], routes: [{ ...ended, to: { ...ended.to, scheme: 'http' } }] })
  expect(await exchange(await cell.connect('good.test', 443), helloRecords({ name: 'good.test' }))).toBe(alert)
  expect(outside.hits).toHaveLength(0)
  expect(cell.gateway.stats().refused[0]).toMatchObject({ code: 'needs-reading' })
})
