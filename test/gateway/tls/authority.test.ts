// PRX-39: what the session's authority signs is taken by strict verifiers, for the one name and nothing else.
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { makeAuthority, type Authority } from '../../../src/gateway/tls/authority.ts'

const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.test`

/** A server that shows what the authority made for `host`, and the certificate as a client gets it. */
async function serve(authority: Authority, host: string) {
  const server = tls.createServer({ SNICallback: (_name, done) => done(null, authority.contextFor(host)) }, (socket) => socket.end('hello'))
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const socket = tls.connect({ port, host: '127.0.0.1', servername: host, ca: authority.certificate })
  await once(socket, 'secureConnect')
  const leaf = socket.getPeerX509Certificate()
  socket.destroy()
  if (leaf === undefined) throw new Error('no certificate was shown')
  return { port, leaf }
}

function files(entries: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-tls-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(entries)) writeFileSync(path.join(folder, name), text)
  return folder
}

it.each(['api.thing.test', 'xn--bcher-kva.test', long])('openssl takes it strictly: %s', async (host) => {
  const authority = makeAuthority()
  const { leaf } = await serve(authority, host)
  const cwd = files({ 'ca.pem': authority.certificate, 'leaf.pem': leaf.toString() })
  const verify = (name: string) =>
    spawnSync('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', name, '-CAfile', 'ca.pem', 'leaf.pem'], {
      cwd,
      encoding: 'utf8',
    })
  expect(verify(host)).toMatchObject({ status: 0, stdout: 'leaf.pem: OK\n' })
  expect(verify('other.test').status).not.toBe(0)
  expect(spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', 'ca.pem', 'ca.pem'], { cwd, encoding: 'utf8' }).stdout).toBe(
    'ca.pem: OK\n',
  )
})

it('says what RFC 5280 asks for, and no more', async () => {
  const authority = makeAuthority()
  const { leaf } = await serve(authority, 'api.thing.test')
  const cwd = files({ 'ca.pem': authority.certificate, 'leaf.pem': leaf.toString() })
  const text = (name: string): string => execFileSync('openssl', ['x509', '-in', name, '-noout', '-text'], { cwd, encoding: 'utf8' })
  const ca = text('ca.pem')
  expect(ca).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0/)
  expect(ca).toMatch(/Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/)
  const own = text('leaf.pem')
  expect(own).toMatch(/Version: 3/)
  expect(own).toMatch(/Basic Constraints: critical\n\s+CA:FALSE/)
  expect(own).toMatch(/Key Usage: critical\n\s+Digital Signature\n/)
  expect(own).toMatch(/Extended Key Usage: *\n\s+TLS Web Server Authentication\n/)
  expect(own).toMatch(/Subject Alternative Name: *\n\s+DNS:api.thing.test\n/)
  const identifier = /Subject Key Identifier: *\n\s+([0-9A-F:]+)/
  expect(/Authority Key Identifier: *\n\s+([0-9A-F:]+)/.exec(own)?.[1]).toBe(identifier.exec(ca)?.[1])
  expect(identifier.exec(own)?.[1]).not.toBe(identifier.exec(ca)?.[1])
})

it('Python takes it with VERIFY_X509_STRICT, and refuses it for another name', async () => {
  const authority = makeAuthority()
  const { port } = await serve(authority, 'api.thing.test')
  const cwd = files({ 'ca.pem': authority.certificate })
  const script = `import socket, ssl, sys
context = ssl.create_default_context(cafile='ca.pem')
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
with context.wrap_socket(socket.create_connection(('127.0.0.1', ${port})), server_hostname=sys.argv[1]) as s: print(s.recv(9).decode())`
  const python = (name: string): Promise<string> =>
    new Promise((resolve) => {
      execFile('python3', ['-c', script, name], { cwd }, (_error, stdout, stderr) => resolve(stdout + stderr))
    })
  expect(await python('api.thing.test')).toBe('hello\n')
  expect(await python('other.test')).toContain('Hostname mismatch')
})

it('every session has its own, every name and serial number once', async () => {
  const [one, two] = [makeAuthority(), makeAuthority()]
  expect(new X509Certificate(one.certificate).subject).not.toBe(new X509Certificate(two.certificate).subject)
  const { leaf } = await serve(one, 'api.thing.test')
  expect(leaf.verify(new X509Certificate(two.certificate).publicKey)).toBe(false)
  expect(one.contextFor('api.thing.test')).toBe(one.contextFor('api.thing.test'))
  expect(one.contextFor('b.test')).not.toBe(one.contextFor('api.thing.test'))
  const other = await serve(one, 'b.test')
  expect(other.leaf.serialNumber).not.toBe(leaf.serialNumber)
  expect(other.leaf.publicKey.equals(leaf.publicKey)).toBe(false)
})

it('makes a certificate anew before it runs out, and bounds what it keeps', () => {
  let now = Date.now()
  const authority = makeAuthority(() => now)
  const first = authority.contextFor('api.thing.test')
  now += 29.5 * 86_400_000
  expect(authority.contextFor('api.thing.test')).not.toBe(first)
  const early = authority.contextFor('host-0.test')
  for (let at = 1; at <= 512; at++) authority.contextFor(`host-${at}.test`)
  expect(authority.contextFor('host-0.test')).not.toBe(early)
})
