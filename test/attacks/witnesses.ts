// Witnesses outside the wall (attacks.md 1): they alone decide. Each is shown to be awake by a visit from the host in the same test.
import { execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { expect, onTestFinished } from 'vitest'

export interface Witness {
  readonly port: number
  /** Connections, datagrams or requests that arrived so far. */
  hits(): number
  /** Everything that was sent to it. */
  text(): string
}

export const nonce = (): string => Math.random().toString(36).slice(2, 12)

/** Accepts, records, answers `greeting` and echoes. `where`: an address, or a Unix socket path (`\0name` for an abstract one). */
export async function tcpWitness(where = '127.0.0.1', greeting = 'WITNESS\n'): Promise<Witness> {
  const sockets = new Set<Socket>()
  let hits = 0
  let text = ''
  const server = net.createServer((socket) => {
    hits += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.write(greeting)
  })
  server.listen(net.isIP(where) === 0 ? { path: where } : { host: where, port: 0 })
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, hits: () => hits, text: () => text }
}

/** Shows that the witness is awake: one visit from the host is one more hit. */
export async function awake(witness: Witness, to: net.NetConnectOpts): Promise<void> {
  const before = witness.hits()
  const socket = net.connect(to)
  await once(socket, 'data')
  socket.destroy()
  expect(witness.hits()).toBe(before + 1)
}

export async function httpWitness(
  answer: http.RequestListener = (_request, response) => void response.end('WITNESS'),
): Promise<Witness & { readonly requests: http.IncomingMessage[] }> {
  const requests: http.IncomingMessage[] = []
  const server = http.createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const text = (): string => requests.map((request) => `${request.method} ${request.url} ${request.rawHeaders.join('\n')}`).join('\n')
  return { port: (server.address() as AddressInfo).port, hits: () => requests.length, text, requests }
}

export async function udpWitness(address = '127.0.0.1'): Promise<Witness> {
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4')
  let hits = 0
  let text = ''
  socket.on('message', (message) => {
    hits += 1
    text += message.toString('latin1')
  })
  socket.bind(0, address)
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return { port: socket.address().port, hits: () => hits, text: () => text }
}

/** Sends one datagram from the host and waits until the witness has it. */
export async function awakeUdp(witness: Witness, address = '127.0.0.1'): Promise<void> {
  const before = witness.hits()
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4')
  socket.send('control', witness.port, address)
  await expect.poll(() => witness.hits()).toBe(before + 1)
  socket.close()
}

export interface Authority {
  /** PEM of the certificate that signs. */
  readonly certificate: string
  readonly file: string
  server(name: string): { readonly key: string; readonly cert: string }
}

/** A certificate authority of this test alone. */
export function makeAuthority(): Authority {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'ah-ca-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  openssl('req', '-x509', ...ec, '-subj', '/CN=anchorhold test', '-keyout', 'ca.key', '-out', 'ca.pem')
  return {
    certificate: readFileSync(path.join(folder, 'ca.pem'), 'utf8'),
    file: path.join(folder, 'ca.pem'),
    server(name) {
      writeFileSync(path.join(folder, 'ext'), `subjectAltName=DNS:${name}\n`)
      openssl('req', ...ec, '-subj', `/CN=${name}`, '-keyout', 'leaf.key', '-out', 'leaf.csr')
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
        '-days',
        '2',
        '-extfile',
        'ext',
        '-out',
        'leaf.pem',
      )
      const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8')
      return { key: read('leaf.key'), cert: read('leaf.pem') }
    },
  }
}

/** An HTTPS server for one name; `names` are the server names that arrived. */
export async function tlsWitness(
  pair: { readonly key: string; readonly cert: string },
  answer = 'SECRET PAGE',
): Promise<Witness & { readonly names: string[] }> {
  const names: string[] = []
  let hits = 0
  let text = ''
  const server = tls.createServer({ ...pair, SNICallback: (name, done) => (names.push(name), done(null)) }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.includes('\r\n\r\n')) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\nConnection: close\r\n\r\n${answer}`)
    })
  })
  server.on('connection', () => (hits += 1))
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, hits: () => hits, text: () => text, names }
}

/** This machine's own addresses: loopback, network cards, both families; link-local ones with their card. */
export function ownAddresses(): readonly string[] {
  return Object.entries(os.networkInterfaces()).flatMap(([card, rows]) =>
    (rows ?? []).map((row) => (row.scopeid ? `${row.address}%${card}` : row.address)),
  )
}
