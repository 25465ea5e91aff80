// PRX-11..14, PRX-49, NET-05: what a name resolves to is judged, once, and only that is dialled; the company's proxy.
import http from 'node:http'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import { connectDirect } from '../../../src/gateway/dial/connect.ts'
import { Stop } from '../../../src/gateway/dial/stop.ts'
import { readParents } from '../../../src/gateway/dial/parent.ts'
import { vetAddresses } from '../../../src/gateway/dial/vet.ts'
import { canonicalHost } from '../../../src/policy/host-name.ts'
import { helloRecords } from '../fixtures/hello.ts'
import { allow, cleanUp, dial, exchange, httpResponder, readUntil, rig, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

const host = canonicalHost('good.test')
const inner = [
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '198.18.0.2',
  '192.0.2.1',
  '::1',
  '::',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%lo',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '::127.0.0.1',
  '2001:db8::1',
  '127.1',
  '2130706433',
  'localhost',
  '',
]

it.each(inner)('a name that resolves to %j is refused, also beside a public address, without telling the address', async (address) => {
  for (const answer of [[address], ['1.1.1.1', address], [address, '2606:4700::1111']]) {
    const refusal = vetAddresses(host, answer, new Set())
    expect(refusal).toMatchObject({ code: 'private-address', remedy: expect.stringContaining('--route good.test:') })
    if (address.length > 3) expect(refusal?.reason).not.toContain(address)
  }
})

it("refuses this machine's own public addresses, and passes others", () => {
  expect(vetAddresses(host, ['93.184.216.34'], new Set(['93.184.216.34']))).toMatchObject({ code: 'private-address' })
  expect(vetAddresses(host, ['93.184.216.34', '2606:2800:220:1::1'], new Set())).toBeUndefined()
})

it('through every way in: the loopback answer is refused, the witness there sees nothing', async () => {
  const outside = await witness(httpResponder())
  const own = Object.values(networkInterfaces()).flatMap((rows) => rows?.map((row) => row.address) ?? [])
  for (const address of ['127.0.0.1', ...own]) {
    const cell = await rig({
      rules: [allow('good.test'), allow(`good.test:${outside.port}`)],
      ports: [outside.port],
      hostResolver: async () => [address],
    })
    expect(await exchange(await cell.connect('good.test', 80), 'GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')).toContain(
      'code=private-address',
    )
    const proxied = await exchange(
      await dial(cell.port('http-proxy')),
      `CONNECT good.test:${outside.port} HTTP/1.1\r\nHost: good.test:${outside.port}\r\n\r\n`,
    )
    expect(proxied).toMatch(/^HTTP\/1\.1 403 .*code=private-address/s)
    expect(await exchange(await cell.connect('good.test', outside.port), 'x')).toBe('')
    expect(cell.events.map((event) => event.kind)).not.toContain('network.allowed')
    expect(await exchange(await cell.connect('good.test', 443), helloRecords({ name: 'good.test' }))).toBe('')
  }
  expect(outside.hits).toHaveLength(0)
})

it('resolves once for one connection, so that a second answer cannot differ', async () => {
  let asked = 0
  const cell = await rig({ rules: [allow('good.test')], hostResolver: async () => (++asked === 1 ? ['0.0.0.1'] : ['127.0.0.1']) })
  await exchange(await dial(cell.port('http-proxy')), 'CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\n\r\n')
  expect(asked).toBe(1)
  expect(cell.names).toEqual(['good.test'])
})

it('dials the judged addresses and nothing else, the next where the first fails', async () => {
  const server = net.createServer((socket) => socket.on('error', () => undefined).end('ok')).listen(0, '127.0.0.2')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = await connectDirect(
    [
      { address: '127.0.0.3', port },
      { address: '127.0.0.2', port },
    ],
    { allowHalfOpen: false },
    new Stop(),
  )
  expect(socket.remoteAddress).toBe('127.0.0.2')
  socket.destroy()
  server.close()
  await expect(connectDirect([{ address: '127.0.0.3', port: 1 }], { allowHalfOpen: false }, new Stop())).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})

it("host.anchorhold.internal is the host's loopback, port by port", async () => {
  const service = await witness((socket) => void socket.write('SERVICE'))
  const other = await witness()
  const cell = await rig({ rules: [allow(`host.anchorhold.internal:${service.port}`)], ports: [service.port, other.port] })
  expect(await readUntil(await cell.connect('host.anchorhold.internal', service.port), (text) => text === 'SERVICE')).toBe('SERVICE')
  expect(await exchange(await cell.connect('host.anchorhold.internal', other.port), 'x')).toBe('')
  expect(other.hits).toHaveLength(0)
  expect(cell.names).toEqual([])
})

async function company() {
  const asked: string[] = []
  const upstream = await witness((socket) => void socket.write('UP'))
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers['proxy-authorization']}`)
    response.end('by parent')
  })
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`)
    const up = net.connect(upstream.port, '127.0.0.1')
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.on('error', () => up.destroy())
    up.on('error', () => socket.destroy())
    socket.pipe(up).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { asked, upstream, server, url: `http://user:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}` }
}

it("goes through the company's proxy by name, with its credentials, which never reach the cell or the journal", async () => {
  const parent = await company()
  const cell = await rig({
    rules: [allow('good.test'), allow('near.test')],
    hostEnv: { HTTPS_PROXY: parent.url, http_proxy: parent.url, NO_PROXY: 'near.test, .else.test' },
  })
  const socket = await cell.connect('good.test', 443)
  socket.write(helloRecords({ name: 'good.test' }))
  expect(await readUntil(socket, (text) => text === 'UP')).toBe('UP')
  expect(parent.upstream.hits[0]?.bytes.equals(helloRecords({ name: 'good.test' }))).toBe(true)
  expect(await exchange(await cell.connect('good.test', 80), 'GET /x HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n')).toContain(
    'by parent',
  )
  const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`
  expect(parent.asked).toEqual([`CONNECT good.test:443 ${basic}`, `GET http://good.test/x good.test ${basic}`])
  expect(cell.names).toEqual([])
  await exchange(await cell.connect('near.test', 80), 'GET / HTTP/1.1\r\nHost: near.test\r\n\r\n')
  expect(cell.names).toEqual(['near.test'])
  expect(JSON.stringify(cell.events)).not.toMatch(/p@ss|p%40ss|dXNlcj/)
  parent.server.closeAllConnections()
  parent.server.close()
})

it('a proxy variable that cannot be honoured stops the start, and says which', () => {
  expect(() => readParents({ ALL_PROXY: 'socks5://127.0.0.1:1' })).toThrow(
    expect.objectContaining({ code: 'gateway/bad-parent-proxy', facts: { variable: 'ALL_PROXY' } }),
  )
  expect(() => readParents({ https_proxy: 'http://' })).toThrow()
  expect(readParents({ HTTPS_PROXY: '' })).toEqual([])
  expect(readParents({ HTTPS_PROXY: 'proxy.test:3128' })).toMatchObject([{ use: 'tunnel', host: 'proxy.test', port: 3128 }])
})
