// PRX-38, SEC-19: a server that cannot show a certificate for the judged name gets no byte of a request.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { makeSecure } from '../../../src/gateway/dial/secure.ts'
import { Stop } from '../../../src/gateway/dial/stop.ts'
import { canonicalHost } from '../../../src/policy/host-name.ts'

const target = { host: canonicalHost('good.test'), port: 443 }

/** Certificates made by openssl, each with its own oddity. */
function certificates() {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-secure-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...ec, '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem')
  const leaf = (extensions: string, ...how: string[]): tls.SecureContextOptions => {
    writeFileSync(path.join(folder, 'ext'), extensions)
    openssl('req', ...ec, '-subj', '/CN=leaf', '-keyout', 'leaf.key', '-out', 'leaf.csr')
    const by = how.length > 0 ? how : ['-days', '2']
    openssl(
      'x509',
      '-req',
      '-in',
      'leaf.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-extfile',
      'ext',
      '-out',
      'leaf.pem',
      ...by,
    )
    return { key: read('leaf.key'), cert: read('leaf.pem') }
  }
  return { file: path.join(folder, 'ca.pem'), leaf, own: () => ({ key: read('ca.key'), cert: read('ca.pem') }) }
}

async function server(options: tls.TlsOptions) {
  let text = ''
  const listening = tls.createServer(options, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      socket.write('answered')
    })
  })
  listening.on('tlsClientError', () => undefined)
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  onTestFinished(() => void listening.close())
  return { port: (listening.address() as AddressInfo).port, text: () => text }
}

async function dial(
  port: number,
  secure: ReturnType<typeof makeSecure>,
  milliseconds = 5_000,
): Promise<{ reused: boolean; alpn: string | false | null }> {
  const raw = net.connect({ port, host: '127.0.0.1' })
  raw.on('error', () => undefined)
  await once(raw, 'connect')
  onTestFinished(() => void raw.destroy())
  const stop = new Stop()
  const timer = setTimeout(() => stop.now(), milliseconds)
  const socket = await secure({ socket: raw }, target, ['http/1.1'], stop).finally(() => clearTimeout(timer))
  socket.resume()
  socket.write('SECRET')
  await once(socket, 'data')
  const found = { reused: socket.isSessionReused(), alpn: socket.alpnProtocol }
  socket.destroy()
  return found
}

it('speaks to a server with a certificate for the judged name, and resumes', async () => {
  const made = certificates()
  const outside = await server({ ...made.leaf('subjectAltName=DNS:good.test\n'), ALPNProtocols: ['http/1.1'] })
  const secure = makeSecure({ NODE_EXTRA_CA_CERTS: made.file })
  expect(await dial(outside.port, secure)).toEqual({ reused: false, alpn: 'http/1.1' })
  expect(await dial(outside.port, secure)).toEqual({ reused: true, alpn: 'http/1.1' })
  expect(outside.text()).toBe('SECRETSECRET')
})

it.each([
  ['self-signed', (made) => made.own(), 'certificate'],
  ['for another name', (made) => made.leaf('subjectAltName=DNS:evil.test\n'), 'certificate'],
  ['for a name below', (made) => made.leaf('subjectAltName=DNS:*.good.test\n'), 'certificate'],
  ['with the name as its subject only', (made) => made.leaf('basicConstraints=CA:FALSE\n'), 'certificate'],
  ['for clients', (made) => made.leaf('subjectAltName=DNS:good.test\nextendedKeyUsage=clientAuth\n'), 'certificate'],
  ['expired', (made) => made.leaf('subjectAltName=DNS:good.test\n', '-days', '-1'), 'certificate'],
  [
    'over TLS 1.1',
    (made) => ({
      ...made.leaf('subjectAltName=DNS:good.test\n'),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    }),
    'tls',
  ],
] satisfies [string, (made: ReturnType<typeof certificates>) => tls.TlsOptions, string][])(
  'sends nothing to a server whose certificate is %s',
  async (_name, make, code) => {
    const made = certificates()
    const outside = await server(make(made))
    await expect(dial(outside.port, makeSecure({ NODE_EXTRA_CA_CERTS: made.file }))).rejects.toMatchObject({ code })
    expect(outside.text()).toBe('')
  },
)

it('trusts nobody whom this machine and its user do not', async () => {
  const made = certificates()
  const outside = await server(made.leaf('subjectAltName=DNS:good.test\n'))
  await expect(dial(outside.port, makeSecure({}))).rejects.toMatchObject({ code: 'certificate' })
  expect(outside.text()).toBe('')
})

it('a session that was verified once is not taken for a server that shows another certificate', async () => {
  const made = certificates()
  const secure = makeSecure({ NODE_EXTRA_CA_CERTS: made.file })
  await dial((await server(made.leaf('subjectAltName=DNS:good.test\n'))).port, secure)
  const evil = await server(made.leaf('subjectAltName=DNS:evil.test\n'))
  await expect(dial(evil.port, secure)).rejects.toMatchObject({ code: 'certificate' })
  expect(evil.text()).toBe('')
})

it('gives a silent server up in time', async () => {
  const silent = net.createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  await expect(dial((silent.address() as AddressInfo).port, makeSecure({}), 100)).rejects.toMatchObject({ code: 'timeout' })
})
