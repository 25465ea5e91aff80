// PRX-17, PRX-19, PRX-21, PRX-25, PRX-26, PRX-38: TLS that is ended, over HTTP/1.1; the same judge as without it.
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { makeAuthority } from '../../attacks/witnesses.ts'
import { endedRig, plainRoute, type EndedRig } from '../fixtures/ended.ts'
import { allow, cleanUp, dial, exchange, httpResponder, readUntil, rig, route, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

const ask = (host = 'good.test', path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

async function open(input: Parameters<typeof endedRig>[0] = {}, respond = httpResponder()) {
  const outside = await witness(respond)
  const routes = [plainRoute('good.test', 443, outside.port), plainRoute('other.test', 443, outside.port)]
  const cell = await endedRig({ rules: [allow('good.test'), allow('other.test')], routes, ...input })
  return { outside, cell }
}

it('what leaves is plain HTTP to the address of the route, rebuilt', async () => {
  const { outside, cell } = await open()
  const socket = await cell.tls()
  expect(socket.authorized).toBe(true)
  socket.write(ask('good.test', '/a?b'))
  expect(await readUntil(socket, (text) => text.includes('outside\n'))).toMatch(/^HTTP\/1\.1 200 .*hello from outside\n$/s)
  expect(outside.text()).toMatch(/^GET \/a\?b HTTP\/1\.1\r\nHost: good\.test\r\n/)
  expect(cell.events).toContainEqual(expect.objectContaining({ kind: 'network.allowed', host: 'good.test', port: 443, how: 'tls' }))
})

it('a port of its own is ended as well, and read as plain HTTP where no TLS comes', async () => {
  const outside = await witness(httpResponder())
  const cell = await endedRig({ rules: [allow('good.test:8443')], routes: [plainRoute('good.test', 8443, outside.port)], ports: [8443] })
  expect(
    await exchange(await cell.tls({ port: 8443 }), ask('good.test:8443').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
  ).toContain('hello from outside')
  const plain = await cell.connect('good.test', 8443)
  plain.write(ask('good.test:8443'))
  expect(await readUntil(plain, (text) => text.includes('outside\n'))).toContain('hello from outside')
  expect(outside.text()).toMatch(/Host: good\.test:8443\r\n.*Host: good\.test:8443\r\n/s)
})

it.each([
  ['another Host', ask('other.test'), 'name-mismatch'],
  ['another port in Host', ask('good.test:80'), 'name-mismatch'],
  ['an address for another host', `GET https://other.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n`, 'bad-request'],
  ['an address of plain HTTP', `GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n`, 'bad-request'],
  ['CONNECT inside', `CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n`, 'bad-request'],
  ['the preface of HTTP/2 without having agreed on it', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'bad-request'],
  ['two Host fields', 'GET / HTTP/1.1\r\nHost: good.test\r\nHost: other.test\r\n\r\n', 'bad-request'],
])('refuses %s, in words, and sends nothing on', async (_name, bytes, code) => {
  const { outside, cell } = await open()
  expect(await exchange(await cell.tls(), bytes)).toContain(`code=${code}`)
  expect(outside.hits).toHaveLength(0)
})

it('judges each request of a connection', async () => {
  const { outside, cell } = await open()
  const text = await exchange(await cell.tls(), ask() + ask('other.test', '/secret') + ask())
  expect(text).toMatch(/^HTTP\/1\.1 200 .*code=name-mismatch/s)
  expect(outside.text()).not.toContain('secret')
})

it('a name in the hello that is not the judged one is refused, over TLS and in words', async () => {
  const { outside, cell } = await open()
  for (const servername of ['other.test', 'evil.test']) {
    const socket = await cell.tls({ host: 'good.test', servername })
    expect(socket.authorized).toBe(true)
    expect(await exchange(socket, ask(servername))).toMatch(/^HTTP\/1\.1 400 .*code=name-mismatch.*names (?:other|evil)\.test/s)
  }
  expect(outside.hits).toHaveLength(0)
})

it('what cannot be named gets an alert: no server name, an address', async () => {
  const { outside, cell } = await open()
  const socket = await cell.tls({ servername: '' })
  expect(socket.destroyed || !socket.authorized).toBe(true)
  expect(cell.gateway.stats().refused).toContainEqual(expect.objectContaining({ code: 'no-server-name' }))
  expect(outside.hits).toHaveLength(0)
})

it('CONNECT to a host that is not allowed is answered over TLS where the cell trusts us, and by 403 where not', async () => {
  const { outside, cell } = await open()
  const proxy = await dial(cell.port('http-proxy'))
  proxy.write('CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n')
  expect(await readUntil(proxy, (text) => text.endsWith('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 200 /)
  const socket = tls.connect({ socket: proxy, servername: 'evil.test', ca: cell.certificate })
  await once(socket, 'secureConnect')
  expect(await exchange(socket, ask('evil.test'))).toMatch(/^HTTP\/1\.1 403 .*code=not-listed.*anchorhold run --allow evil\.test/s)
  expect(cell.names).toEqual([]) // never resolved
  const other = 'CONNECT evil.test:22 HTTP/1.1\r\nHost: evil.test:22\r\n\r\n'
  expect(await exchange(await dial(cell.port('http-proxy')), other)).toMatch(/^HTTP\/1\.1 403 /)
  const bare = await rig({ rules: [allow('good.test')] })
  expect(await exchange(await dial(bare.port('http-proxy')), other.replaceAll(':22', ':443'))).toMatch(/^HTTP\/1\.1 403 /)
  expect(outside.hits).toHaveLength(0)
})

it('a name that resolves to this machine is refused over TLS in words', async () => {
  const { cell } = await open({ rules: [allow('inner.test')], routes: [], hostResolver: async () => ['127.0.0.1'] })
  expect(await exchange(await cell.tls({ host: 'inner.test' }), ask('inner.test'))).toMatch(/^HTTP\/1\.1 403 .*code=private-address/s)
})

it('a host without a reason is tunnelled, also in a session that has an authority: the program sees its certificate', async () => {
  const own = makeAuthority()
  const outside = tls.createServer(own.server('far.test'), (socket) => void socket.end('its own'))
  outside.listen(0, '127.0.0.1')
  await once(outside, 'listening')
  onTestFinished(() => void outside.close())
  const { port } = outside.address() as net.AddressInfo
  const { cell } = await open({ rules: [allow('far.test')], routes: [route('far.test', 443, port)] })
  const socket = await cell.tls({ host: 'far.test', ca: own.certificate })
  expect(socket.authorized).toBe(true)
  expect(await readUntil(socket, (text) => text.includes('own'))).toBe('its own')
})

/** A server that speaks TLS, reached by a host whose requests are limited, so that they are read. */
async function openTls(pair: { readonly key: string; readonly cert: string }, file: string) {
  const outside = tls.createServer(pair)
  let text = ''
  outside.on('secureConnection', (socket) => {
    httpResponder()(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  })
  outside.on('tlsClientError', () => undefined)
  outside.listen(0, '127.0.0.1')
  await once(outside, 'listening')
  onTestFinished(() => void outside.close())
  const { port } = outside.address() as net.AddressInfo
  const cell = await endedRig({
    rules: [allow('good.test', { methods: ['GET'] })],
    routes: [route('good.test', 443, port)],
    hostEnv: { NODE_EXTRA_CA_CERTS: file },
  })
  return { cell, text: () => text }
}

it('leaves over verified TLS, and refuses what the rule does not allow', async () => {
  const own = makeAuthority()
  const { cell, text } = await openTls(own.server('good.test'), own.file)
  const socket = await cell.tls()
  socket.write(ask())
  expect(await readUntil(socket, (got) => got.includes('outside\n'))).toContain('hello from outside')
  expect(await exchange(await cell.tls(), `POST /x HTTP/1.1\r\nHost: good.test\r\nContent-Length: 0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /)
  expect(text()).not.toContain('/x')
})

it("through the company's proxy it leaves over TLS that the proxy cannot read", async () => {
  const own = makeAuthority()
  const inner = tls.createServer(own.server('far.test'), (socket) => {
    socket.on('error', () => undefined)
    httpResponder('behind the proxy\n')(socket)
  })
  inner.listen(0, '127.0.0.1')
  await once(inner, 'listening')
  onTestFinished(() => void inner.close())
  const proxy = await witness((socket) => {
    socket.once('data', () => {
      const onward = net.connect((inner.address() as net.AddressInfo).port, '127.0.0.1')
      onward.on('error', () => undefined)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
  })
  const cell = await endedRig({
    rules: [allow('far.test', { methods: ['GET'] })],
    hostEnv: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NODE_EXTRA_CA_CERTS: own.file },
  })
  const socket = await cell.tls({ host: 'far.test' })
  socket.write(ask('far.test', '/private'))
  expect(await readUntil(socket, (text) => text.includes('proxy\n'))).toContain('behind the proxy')
  expect(proxy.text()).toMatch(/^CONNECT far\.test:443 HTTP\/1\.1\r\n/)
  expect(proxy.text()).not.toContain('private')
})

it('a server with a certificate for another name gets nothing, and the cell is told', async () => {
  const own = makeAuthority()
  const { cell, text } = await openTls(own.server('evil.test'), own.file)
  expect(await exchange(await cell.tls(), ask('good.test', '/secret'))).toMatch(/^HTTP\/1\.1 502 .*code=certificate.*for another name/s)
  expect(text()).toBe('')
})

it('a program that does not trust the certificate is told of in the journal, with the mend', async () => {
  const { cell } = await open()
  const place = `${await cell.lookup('good.test')}:${cell.port('transparent', 443)}`
  const openssl = spawn(
    'openssl',
    ['s_client', '-connect', place, '-servername', 'good.test', '-verify_return_error', '-CAfile', makeAuthority().file],
    { stdio: 'ignore' },
  )
  await once(openssl, 'close')
  await expect
    .poll(() => cell.events)
    .toContainEqual(
      expect.objectContaining({ kind: 'network.failed', code: 'distrusted', reason: expect.stringContaining('network.passThrough') }),
    )
})

it('resumes a session for the same name only, and judges the name each time', async () => {
  const { cell } = await open()
  const first = await cell.tls()
  const ticket = once(first, 'session')
  first.write(ask())
  const [session] = (await ticket) as [Buffer]
  first.destroy()
  expect((await cell.tls({ session })).isSessionReused()).toBe(true)
  const other = await cell.tls({ host: 'other.test', session })
  expect(other.isSessionReused()).toBe(false)
  expect(await exchange(await cell.tls({ host: 'other.test', servername: 'good.test', session }), ask('good.test'))).toContain(
    'code=name-mismatch',
  )
})

it('speaks TLS 1.2 and later', async () => {
  const { cell } = await open()
  const old = await cell.tls({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  expect(old.authorized).toBe(false)
  expect((await cell.tls({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2')
})

it('the first event of a stream arrives before the second is sent', async () => {
  let more: () => void = () => undefined
  const { cell } = await open({}, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n')
      more = () => void socket.write('9\r\ndata: 2\n\n\r\n0\r\n\r\n')
    })
  })
  const socket = await cell.tls()
  socket.write(ask())
  expect(await readUntil(socket, (text) => text.includes('data: 1'))).not.toContain('data: 2')
  more()
  expect(await readUntil(socket, (text) => text.includes('0\r\n\r\n'))).toContain('data: 2')
})

it('joins a WebSocket, and both sides speak', async () => {
  const { cell } = await open({}, (socket) => {
    socket.once('data', () => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nfrom the server',
      )
      socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk.toString()}`))
    })
  })
  const socket = await cell.tls()
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: good.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  expect(await readUntil(socket, (text) => text.includes('from the server'))).toMatch(/^HTTP\/1\.1 101 /)
  socket.write('hello')
  expect(await readUntil(socket, (text) => text.includes('echo hello'))).toBe('echo hello')
})

/** Sends `megabytes` as one request and returns how far the memory of the process rose. */
async function upload(cell: EndedRig, megabytes: number): Promise<number> {
  const socket = await cell.tls()
  const piece = Buffer.alloc(1_048_576, 7)
  const before = process.memoryUsage.rss()
  let highest = before
  socket.write(`POST /up HTTP/1.1\r\nHost: good.test\r\nContent-Length: ${megabytes * piece.length}\r\n\r\n`)
  for (let at = 0; at < megabytes; at++) {
    if (!socket.write(piece)) await once(socket, 'drain')
    highest = Math.max(highest, process.memoryUsage.rss())
  }
  await readUntil(socket, (text) => text.includes('\r\n\r\n'))
  return highest - before
}

it('an upload of 300 MB passes whole, and is never held', async () => {
  const hash = createHash('sha256')
  let head = ''
  let got = 0
  const { cell } = await open({}, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      const end = head.includes('\r\n\r\n') ? 0 : chunk.indexOf('\r\n\r\n') + 4
      head += chunk.toString('latin1', 0, end)
      hash.update(chunk.subarray(end))
      got += chunk.length - end
      if (got === 314_572_800) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  expect(await upload(cell, 300)).toBeLessThan(150 * 1_048_576)
  const expected = createHash('sha256')
  for (let at = 0; at < 300; at++) expected.update(Buffer.alloc(1_048_576, 7))
  expect(hash.digest('hex')).toBe(expected.digest('hex'))
}, 60_000)

it('a server that breaks off is seen as a cut, not as an end', async () => {
  const { cell } = await open({}, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
      setImmediate(() => socket.resetAndDestroy())
    })
  })
  const socket = await cell.tls()
  const ended = new Promise((resolve) =>
    socket
      .on('error', () => resolve('cut'))
      .on('end', () => resolve('end'))
      .on('close', () => resolve('closed')),
  )
  socket.write(ask())
  socket.resume()
  expect(await ended).not.toBe('end')
})

it('closing the gateway closes ended connections as well', async () => {
  const { cell } = await open()
  const socket = await cell.tls()
  const closed = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()))
  socket.resume()
  await cell.close()
  await closed
})

it.each(['http/1.1', 'h2'])('a connection that is over counts no more, over %s', async (protocol) => {
  const { cell } = await open({ settings: { maxConnections: 3 } })
  for (let at = 0; at < 12; at++) {
    const socket = await cell.tls({ alpn: [protocol] })
    expect(socket.authorized).toBe(true)
    socket.resume().destroy()
    // The gateway sees the end a moment later.
    await expect.poll(async () => (await cell.tls({ alpn: [protocol] })).destroy().authorized).toBe(true)
  }
})

it('a program that knows no newer protocol than HTTP/1.0 is served; one that offers none of ours gets the alert for that', async () => {
  const outside = await witness(httpResponder())
  const cell = await endedRig({ rules: [allow('good.test')], routes: [plainRoute('good.test', 443, outside.port)] })
  const old = await cell.tls({ alpn: ['http/1.0'] })
  expect(old.alpnProtocol).toBe('http/1.0')
  const answer = await exchange(old, 'GET / HTTP/1.0\r\nHost: good.test\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*hello from outside\n$/)
  expect((await cell.tls({ alpn: ['http/1.0', 'http/1.1'] })).alpnProtocol).toBe('http/1.1')
  for (const protocol of ['h3', 'acme-tls/1']) expect((await cell.tls({ alpn: [protocol] })).authorized).toBe(false)
})
