// PRX-17, 20, 21, 24–27, 30–32, 48: one connection, two names: server names, Host fields, proxies inside proxies, odd requests, redirects.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld } from '../support/anchorhold.ts'
import { inside, type Attempt } from './attempt.ts'
import { httpWitness, makeAuthority, tcpWitness, tlsWitness } from './witnesses.ts'

it('PRX-17 PRX-08 a TLS hello for another name reaches nobody, through any door, also on a wildcard’s host; the right name works', async () => {
  const world = makeWorld()
  const authority = makeAuthority()
  const witness = await tlsWitness(authority.server('api.allowed.test'))
  writeFileSync(path.join(world.project, 'ca.pem'), authority.certificate)
  const to = `=127.0.0.1:${witness.port}`
  const options = [
    '--allow',
    '*.wild.test',
    '--route',
    `api.allowed.test:443${to}`,
    '--route',
    `a.wild.test:443${to}`,
    '--route',
    `b.wild.test:443${to}`,
  ]
  writeFileSync(
    path.join(world.project, 'front.mjs'),
    `import tls from 'node:tls'; import net from 'node:net'
    const hello = (socket, servername) => new Promise((resolve) => { const s = tls.connect({ socket, host: socket ? undefined : 'x', ...(servername === undefined ? {} : { servername }), rejectUnauthorized: false }, () => { resolve('open'); s.destroy() }); s.on('error', () => resolve('closed')); setTimeout(() => resolve('late'), 4000).unref() })
    const plain = (host) => new Promise((resolve) => { const s = net.connect(443, host, () => resolve(s)) })
    const via = (host) => new Promise((resolve) => { const s = net.connect(3128, '127.0.0.1', () => s.write('CONNECT ' + host + ':443 HTTP/1.1\\r\\nHost: ' + host + ':443\\r\\n\\r\\n')); s.once('data', () => resolve(s)) })
    const results = []
    for (const [host, name] of [['api.allowed.test', 'evil.test'], ['api.allowed.test', 'a.wild.test'], ['a.wild.test', 'b.wild.test'], ['a.wild.test', 'wild.test'], ['a.wild.test', 'evil.test'], ['api.allowed.test', ''], ['api.allowed.test', 'api.allowed.test.evil.test']])
      results.push(await hello(await plain(host), name), await hello(await via(host), name))
    console.log(results.join(' ')); console.log(await hello(await plain('api.allowed.test'), 'API.Allowed.Test'), await hello(await via('a.wild.test'), 'a.wild.test')); process.exit(0)`,
  )
  const { stdout } = await inCell(
    world,
    `node front.mjs; curl -s --cacert ca.pem https://api.allowed.test/x; curl -s -o /dev/null --cacert ca.pem -x http://127.0.0.1:3128 https://api.allowed.test/ -w ' %{http_code}'; curl -s -k --connect-to evil.test:443:api.allowed.test:443 https://evil.test/ && echo LEAK; echo -n`,
    options,
  )
  expect(stdout).toBe(`${Array.from({ length: 14 }, () => 'closed').join(' ')}\nopen open\nSECRET PAGE 200`)
  expect(new Set(witness.names.map((name) => name.toLowerCase()))).toEqual(new Set(['api.allowed.test', 'a.wild.test']))
})

const request = (head: string): Attempt => ({ kind: 'tcp', host: 'api.allowed.test', port: 80, send: head })
const proxied = (head: string): Attempt => ({ kind: 'raw', door: 'proxy', send: head })

it('PRX-20 PRX-24 PRX-25 PRX-27 PRX-48 a request that names two hosts, a proxy, or another protocol is refused; nothing arrives', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const evil = await tcpWitness()
  const options = ['--route', `api.allowed.test:80=127.0.0.1:${witness.port}`, '--route', `other.test:80=127.0.0.1:${witness.port}`]
  const bad = [
    request('GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'),
    request('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n'),
    request('GET / HTTP/1.1\r\nHost: api.allowed.test\r\nHost: evil.test\r\n\r\n'),
    request('GET / HTTP/1.1\r\n\r\n'),
    request('GET / HTTP/1.0\r\n\r\n'),
    request('GET http://evil.test/ HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request('GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n'),
    request('GET https://api.allowed.test/ HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request('OPTIONS * HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request(`CONNECT 127.0.0.1:${evil.port} HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n`),
    request('CONNECT api.allowed.test:443 HTTP/1.1\r\nHost: api.allowed.test:443\r\n\r\n'),
    request('TRACE / HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request('get / HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    request('GET / HTTP/1.1\r\nHost: api.allowed.test:8080\r\n\r\n'),
    request('GET / HTTP/1.1\r\nHost: x@api.allowed.test\r\n\r\n'),
    request('GET / HTTP/2\r\nHost: api.allowed.test\r\n\r\n'),
    request('\x16\x03\x01\x00\x05hello'),
    request('\x00\x01\x02\x03\r\n\r\n'),
    proxied('GET / HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    proxied('GET http://api.allowed.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n'),
    proxied('GET //api.allowed.test/ HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    proxied('GET ftp://api.allowed.test/ HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    proxied('GET HTTP://evil.test/ HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    proxied('CONNECT api.allowed.test:80 HTTP/1.1\r\nHost: api.allowed.test:80\r\nContent-Length: 5\r\n\r\nhello'),
    proxied('CONNECT api.allowed.test:80 HTTP/1.1\r\nHost: evil.test:80\r\n\r\n'),
    proxied('CONNECT / HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    proxied('CONNECT http://api.allowed.test:80 HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    // A proxy asked through a proxy, and one inside a tunnel.
    {
      kind: 'proxy',
      send: 'CONNECT api.allowed.test:80 HTTP/1.1\r\nHost: api.allowed.test:80\r\n\r\n',
      steps: [{ after: 20, send: `CONNECT 127.0.0.1:${evil.port} HTTP/1.1\r\nHost: 127.0.0.1:${evil.port}\r\n\r\n` }],
    },
    {
      kind: 'proxy',
      send: 'CONNECT api.allowed.test:80 HTTP/1.1\r\nHost: api.allowed.test:80\r\n\r\n',
      steps: [{ after: 20, send: 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n' }],
    },
    { kind: 'socks', name: 'api.allowed.test', port: 80, then: 'GET / HTTP/1.1\r\nHost: other.test\r\n\r\n' },
    proxied(`CONNECT 127.0.0.1:3128 HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n\r\nGET http://evil.test/ HTTP/1.1\r\n\r\n`),
  ]
  const came = await inside(world, options, bad)
  expect(
    came.flatMap(({ text = '' }, index) => (text.includes('HTTP/1.1 200 OK') || text.includes('WITNESS') ? [bad[index]] : [])),
  ).toEqual([])
  expect([witness.hits(), evil.hits()]).toEqual([0, 0])
  const good = await inside(world, options, [
    request('GET /direct HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request('GET http://api.allowed.test/absolute HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    proxied('GET http://api.allowed.test/proxied HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
  ])
  expect(good.map(({ text }) => text?.includes('WITNESS'))).toEqual([true, true, true])
  expect(witness.requests.map(({ url }) => url).toSorted()).toEqual(['/absolute', '/direct', '/proxied'])
})

it('PRX-21 PRX-22 PRX-30 PRX-31 PRX-32 every request of a connection is judged, framing is never mended, claims are stripped, redirects are the program’s own', async () => {
  const world = makeWorld()
  const witness = await httpWitness((incoming, response) => {
    response.writeEarlyHints({ link: '</x>; rel=preload' })
    if (incoming.url === '/away') response.writeHead(302, { Location: 'http://evil.test/', 'Alt-Svc': 'h3="evil.test:443"' })
    response.end('WITNESS')
  })
  const options = ['--route', `api.allowed.test:80=127.0.0.1:${witness.port}`, '--route', `evil.test:8080=127.0.0.1:${witness.port}`]
  const post = (framing: string, body: string): Attempt =>
    request(`POST /smuggled HTTP/1.1\r\nHost: api.allowed.test\r\n${framing}\r\n\r\n${body}`)
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'
  const odd = [
    post('Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${hidden}`),
    post('Content-Length: 5\r\nContent-Length: 6', `hello${hidden}`),
    post('Content-Length: +5', `hello${hidden}`),
    post('Content-Length: 0x5', `hello${hidden}`),
    post('Transfer-Encoding: xchunked', `0\r\n\r\n${hidden}`),
    post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${hidden}`),
    post('Transfer-Encoding:\tchunked\x0b', `0\r\n\r\n${hidden}`),
    post('Transfer-Encoding : chunked', `0\r\n\r\n${hidden}`),
    post('X: y\r\n Transfer-Encoding: chunked', `0\r\n\r\n${hidden}`),
    post('Transfer-Encoding: chunked', `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n${hidden}`),
    post('Transfer-Encoding: chunked', `0\r\nX: y\r\n\r\n${hidden}`),
    post('Transfer-Encoding: chunked', `5\r\nhello!!\r\n0\r\n\r\n${hidden}`),
    request(`GET /lf HTTP/1.1\nHost: api.allowed.test\n\n`),
    request('GET /cr HTTP/1.1\r\nHost: api.allowed.test\r\nX: a\rb\r\n\r\n'),
    request('GET  /two HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request('GET /nul\0 HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
    request('GET /frag#x HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n'),
  ]
  const came = await inside(world, options, odd)
  expect(
    came.flatMap(({ text = '' }, index) =>
      /^HTTP\/1\.1 (4\d\d|505) /.test(text) && !text.includes('WITNESS') ? [] : [[index, text.slice(0, 60)]],
    ),
  ).toEqual([])
  expect(witness.text()).not.toContain('/hidden')
  const before = witness.hits()
  const [pipelined, claims, away] = await inside(world, options, [
    {
      ...proxied(
        'GET http://api.allowed.test/first HTTP/1.1\r\nHost: api.allowed.test\r\n\r\nGET http://evil.test/second HTTP/1.1\r\nHost: evil.test\r\n\r\nGET http://api.allowed.test/third HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n',
      ),
      whole: true,
    },
    request(
      'GET /claims HTTP/1.1\r\nHost: api.allowed.test\r\nX-Forwarded-Host: evil.test\r\nForwarded: host=evil.test\r\nX-Original-URL: /admin\r\nX-HTTP-Method-Override: DELETE\r\nVia: 1.1 x\r\nX-Unix-Socket: /var/run/docker.sock\r\nProxy-Authorization: Basic eA==\r\nX_Forwarded_For: 127.0.0.1\r\nConnection: close, X-Kept\r\nX-Kept: named by Connection\r\n\r\n',
    ),
    request('GET /away HTTP/1.1\r\nHost: api.allowed.test\r\nConnection: close\r\n\r\n'),
  ])
  // The first is answered, the second ends the connection, the third is never read.
  expect(pipelined?.text).toContain('HTTP/1.1 403')
  expect(witness.text()).not.toMatch(/second|third/)
  expect(claims?.text).toContain('WITNESS')
  expect(
    witness.requests
      .find(({ url }) => url === '/claims')
      ?.rawHeaders.filter((_field, index) => index % 2 === 0)
      .map((name) => name.toLowerCase()),
  ).toEqual(['host', 'connection'])
  expect(away?.text).toMatch(/^HTTP\/1\.1 302 /)
  expect(away?.text).not.toMatch(/alt-svc|103|preload/i)
  expect(witness.hits()).toBe(before + 3)
})
