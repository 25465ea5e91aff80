// PRX-13, 14, 49; NET-28: where an allowed name leads: this machine's own names resolve to itself; a company's proxy outside is used, and its
// password never seen inside.
import http from 'node:http'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import { expect, it, onTestFinished } from 'vitest'
import { inCell, makeWorld } from '../support/anchorhold.ts'
import { inside } from './attempt.ts'
import { awake, httpWitness, nonce, tcpWitness } from './witnesses.ts'

it('PRX-13 an allowed name that leads to this machine is refused with a reason that shows no address; a route is the way to mean it', async () => {
  const world = makeWorld()
  const witness = await tcpWitness('0.0.0.0')
  await awake(witness, { host: '127.0.0.1', port: witness.port })
  const name = os.hostname()
  const to = { host: name, port: witness.port }
  const came = await inside(
    world,
    ['--allow', `${name}:${witness.port}`],
    [
      { kind: 'connect', to: `${name}:${witness.port}` },
      { kind: 'tcp', ...to },
      { kind: 'socks', name, port: witness.port },
      { kind: 'get', ...to },
    ],
  )
  // 502 where this machine's own name does not even resolve.
  for (const index of [0, 3]) expect(came[index]?.text).toMatch(/^HTTP\/1\.1 (403|502) /)
  expect(came.map(({ text = '' }) => text).join()).not.toMatch(/WITNESS|127\.0|\b\d+\.\d+\.\d+\.\d+\b/)
  expect(witness.hits()).toBe(1)
  const routed = await inside(
    world,
    ['--route', `${name}:${witness.port}=127.0.0.1`],
    [{ kind: 'connect', to: `${name}:${witness.port}`, then: 'x' }],
  )
  expect(routed[0]?.text).toMatch(/^HTTP\/1\.1 200 /)
})

/** A company's proxy: CONNECT and absolute requests, each recorded, all answered by one server. */
async function company(
  port: number,
): Promise<{ readonly port: number; readonly asked: string[]; readonly logins: (string | undefined)[] }> {
  const asked: string[] = []
  const logins: (string | undefined)[] = []
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    logins.push(request.headers['proxy-authorization'])
    response.end('BY PROXY')
  })
  server.on('connect', (request, socket: net.Socket) => {
    asked.push(`CONNECT ${request.url}`)
    logins.push(request.headers['proxy-authorization'])
    const upstream = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const each of [socket, upstream]) each.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked, logins }
}

it('PRX-49 NET-28 a company’s proxy gets allowed names and nothing else; its password stays outside', async () => {
  const world = makeWorld()
  const witness = await tcpWitness()
  const local = await httpWitness()
  const proxy = await company(witness.port)
  const password = nonce()
  const url = `http://me:${password}@127.0.0.1:${proxy.port}`
  const env = { HTTPS_PROXY: url, HTTP_PROXY: url, NO_PROXY: 'direct.test', ALL_PROXY: url }
  const script = `env | grep -i proxy; grep -rs ${password} /proc/*/environ /proc/*/cmdline /etc /run /home; curl -s -m 5 http://good.test/; curl -s -m 5 http://evil.test/; bash -c 'exec 3<>/dev/tcp/good.test/5432; head -c 7 <&3'
    curl -s -m 5 http://127.0.0.1:${proxy.port}/; curl -s -m 5 http://host.anchorhold.internal:${local.port}/; curl -s -m 5 http://direct.test/; curl -s -m 5 -o /dev/null -w '%{http_code}' -x http://127.0.0.1:3128 http://localhost/`
  const { stdout } = await inCell(
    world,
    script,
    [
      '--allow',
      'good.test',
      '--allow',
      'good.test:5432',
      '--allow',
      `host.anchorhold.internal:${local.port}`,
      '--route',
      `direct.test:80=127.0.0.1:${local.port}`,
    ],
    { env },
  )
  expect(stdout).toBe('BY PROXYWITNESSWITNESSWITNESS403')
  expect(proxy.asked).toEqual(['GET http://good.test/', 'CONNECT good.test:5432'])
  expect(new Set(proxy.logins)).toEqual(new Set([`Basic ${Buffer.from(`me:${password}`).toString('base64')}`]))
  expect(local.requests.map(({ headers }) => headers.host)).toEqual([`host.anchorhold.internal:${local.port}`, 'direct.test'])
  expect(local.requests.map(({ headers }) => headers['proxy-authorization'])).toEqual([undefined, undefined])
})
