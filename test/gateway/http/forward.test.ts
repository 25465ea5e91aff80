// PRX-21, PRX-26, PRX-30..32, PRX-36: requests are rebuilt, answers filtered, breaks stay visible.
import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { allow, cleanUp, dial, exchange, httpResponder, readUntil, rig, route, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

async function open(respond = httpResponder(), more: Parameters<typeof rig>[0] = {}) {
  const outside = await witness(respond)
  const cell = await rig({ rules: [allow('good.test')], routes: [route('good.test', 80, outside.port)], ...more })
  return {
    outside,
    cell,
    get: async (text = 'GET / HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n') =>
      exchange(await cell.connect('good.test', 80), text),
  }
}

it('strips what would speak for the client or about the hop', async () => {
  const { outside, get } = await open()
  const bad = [
    'X-Forwarded-For: 1',
    'X-Forwarded-Host: evil.test',
    'Forwarded: for=1',
    'Via: 1.1 x',
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'X-HTTP-Method-Override: DELETE',
    'X_Forwarded_Host: evil.test',
    'X-Unix-Socket: /run/docker.sock',
    'Proxy-Authorization: Basic x',
    'Proxy-Connection: keep-alive',
    'TE: trailers',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQ',
    'Keep-Alive: timeout=5',
    'X-Named: y',
    'Connection: close, X-Named, Upgrade, HTTP2-Settings',
  ]
  const answer = await get(`GET /p?q HTTP/1.1\r\nHost: GOOD.test.:80\r\nAccept: a/b\r\nCookie: c=d\r\n${bad.join('\r\n')}\r\n\r\n`)
  expect(answer).toContain(' 200 ')
  expect(outside.text()).toBe('GET /p?q HTTP/1.1\r\nHost: good.test\r\nAccept: a/b\r\nCookie: c=d\r\nConnection: keep-alive\r\n\r\n')
})

it('keeps both sides open for the next request, and judges each', async () => {
  const { outside, cell } = await open()
  const socket = await cell.connect('good.test', 80)
  for (let i = 0; i < 3; i++) {
    socket.write('GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')
    expect(await readUntil(socket, (text) => text.endsWith('outside\n'))).toContain(' 200 ')
  }
  socket.write('GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n')
  expect(await readUntil(socket, () => false)).toContain(' 400 ')
  expect(outside.hits).toHaveLength(1)
  expect(outside.text()).not.toContain('evil')
})

it('pipelined: the allowed one is answered, the refused one ends it, what follows is never sent', async () => {
  const { outside, get } = await open()
  const one = (host: string) => `GET /${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  const answer = await get(one('good.test') + one('evil.test') + one('good.test'))
  expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
  expect(outside.text().match(/GET/g)).toHaveLength(1)
})

it('takes Alt-Svc and early hints out of the answer, and follows no redirect', async () => {
  const { outside, get } = await open(
    (socket) =>
      void socket.on('data', () =>
        socket.write(
          'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nAlt-Svc: h3=":443"\r\nSet-Cookie: a=b\r\nX-Anchorhold: refused\r\nContent-Length: 0\r\n\r\n',
        ),
      ),
  )
  const answer = await get()
  expect(answer).toBe(
    'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  )
  expect(outside.hits).toHaveLength(1)
})

it.each([
  ['no HTTP', 'SSH-2.0-hello\r\n', 502],
  ['an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nevil', 502],
  ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 502],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd', 502],
  ['a head of 70 KB', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, 502],
])('answers 502 where the server gives %s', async (_name, bytes, status) => {
  const { get } = await open((socket) => void socket.on('data', () => socket.write(bytes)))
  expect(await get()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*X-Anchorhold: failed`, 's'))
})

it('a server that closes at once, or is not there, is a 502 in the journal', async () => {
  const { cell, get } = await open((socket) => void socket.destroy())
  expect(await get()).toContain(' 502 ')
  expect(cell.events.at(-1)?.kind === 'network.failed' || cell.events.some((event) => event.kind === 'network.failed')).toBe(true)
  const gone = await rig({ rules: [allow('good.test')], routes: [route('good.test', 80, 1)] })
  expect(await exchange(await gone.connect('good.test', 80), 'GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')).toContain('ECONNREFUSED')
})

it.each([
  ['a reset inside a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', true],
  ['an end inside a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', false],
  ['an end inside a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', false],
])('%s looks broken to the cell as well', async (_name, bytes, reset) => {
  const { cell } = await open(
    (socket) =>
      void socket.on('data', () => socket.write(bytes, () => setImmediate(() => (reset ? socket.resetAndDestroy() : socket.end())))),
  )
  const socket = await cell.connect('good.test', 80)
  const ended = new Promise<string>((resolve) => socket.on('error', () => resolve('reset')).on('end', () => resolve('end')))
  socket.resume()
  socket.write('GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')
  expect(await ended).toBe('reset')
})

it('a cell that goes away in the middle takes its request with it', async () => {
  const { outside, cell } = await open((witnessed) => void witnessed.on('end', () => witnessed.end()))
  const socket = await cell.connect('good.test', 80)
  socket.write('POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 1000\r\n\r\nabc')
  while (!outside.text().includes('abc')) await new Promise((resolve) => setTimeout(resolve, 2))
  const [hit] = outside.hits
  const closed = hit === undefined ? undefined : once(hit.socket, 'close')
  socket.resetAndDestroy()
  await closed
  expect(hit?.socket.destroyed).toBe(true)
})

it('streams both ways without holding the whole, and keeps the bytes', async () => {
  const size = 30_000_000
  const server = http.createServer((request, response) => request.pipe(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cell = await rig({ rules: [allow('good.test')], routes: [route('good.test', 80, (server.address() as AddressInfo).port)] })
  const socket = await cell.connect('good.test', 80)
  let received = 0
  const done = new Promise<void>((resolve) =>
    socket.on('data', (chunk: Buffer) => ((received += chunk.length) >= size ? resolve() : undefined)),
  )
  socket.write(`POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: ${size}\r\n\r\n`)
  for (let sent = 0; sent < size; sent += 1_000_000) if (!socket.write(Buffer.alloc(1_000_000, 120))) await once(socket, 'drain')
  await done
  server.closeAllConnections()
  server.close()
})

it('answers Expect: 100-continue itself once the request is allowed', async () => {
  const { cell } = await open()
  const socket = await cell.connect('good.test', 80)
  socket.write('POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n')
  expect(await readUntil(socket, (text) => text.endsWith('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('hi')
  expect(await readUntil(socket, (text) => text.endsWith('outside\n'))).toContain(' 200 ')
})

it('joins a WebSocket where the host is allowed as a whole, and nowhere else', async () => {
  const respond = (socket: Socket): void =>
    void socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nfirst')
      socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk.toString()}`))
    })
  const ask = 'GET /ws HTTP/1.1\r\nHost: good.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n'
  const { cell } = await open(respond)
  const socket = await cell.connect('good.test', 80)
  socket.write(ask)
  expect(await readUntil(socket, (text) => text.endsWith('first'))).toContain('Sec-WebSocket-Accept: x')
  socket.write('more')
  expect(await readUntil(socket, (text) => text.endsWith('more'))).toBe('echo more')
  const limited = await open(respond, { rules: [allow('good.test', { methods: ['GET'] })] })
  expect(await exchange(await limited.cell.connect('good.test', 80), ask)).toContain('code=needs-reading')
  expect(limited.outside.hits).toHaveLength(0)
})

it('holds plain HTTP to the methods and paths of its rule, exactly', async () => {
  const rules = [allow('good.test', { methods: ['GET'], paths: ['/repos/me/**', '/v?/x*z'] })]
  const answers: string[] = []
  for (const line of [
    'GET /repos/me/x',
    'GET /repos/me',
    'GET /repos/mex',
    'POST /repos/me/x',
    'HEAD /repos/me/x',
    'GET /repos/me/../you',
    'GET /repos/me/%2e%2e/you',
    'GET /repos/me/..%2fyou',
    'GET /repos/me//x',
    'GET /REPOS/me/x',
  ]) {
    const { get } = await open(httpResponder(), { rules })
    answers.push(
      /^HTTP\/1\.1 (\d+).*?(?:code=([a-z-]+)|\r\n\r\n)/s
        .exec(await get(`${line} HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n`))
        ?.slice(1, 3)
        .join(' ') ?? '',
    )
    await cleanUp()
  }
  expect(answers).toEqual([
    '200 ',
    '200 ',
    '403 path',
    '403 method',
    '403 method',
    '403 odd-path',
    '403 odd-path',
    '403 odd-path',
    '403 odd-path',
    '403 path',
  ])
})

it('tells the agent why and how, as text or JSON', async () => {
  const { cell } = await open()
  const text = await exchange(await dial(cell.port('http-proxy')), 'GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n')
  expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
  expect(text).toContain('X-Anchorhold: refused; code=not-listed\r\n')
  expect(text).toContain('To allow it: anchorhold run --allow evil.test …'.replace('…', Buffer.from('…').toString('latin1')))
  const json = await exchange(
    await dial(cell.port('http-proxy')),
    'GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\nAccept: application/json\r\n\r\n',
  )
  expect(JSON.parse(json.slice(json.indexOf('\r\n\r\n')))).toMatchObject({ error: { type: 'anchorhold_refused', code: 'not-listed' } })
})

it('a raw address on port 80 is told that rules are by name', async () => {
  const { cell, outside } = await open()
  for (const address of ['127.0.0.9', '127.77.200.1']) {
    expect(await exchange(await dial(cell.port('transparent', 80), address), 'GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')).toContain(
      'code=address-literal',
    )
    expect(await exchange(await dial(cell.port('transparent', 443), address), '')).toBe('')
  }
  expect(outside.hits).toHaveLength(0)
})
