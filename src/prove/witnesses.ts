// Proof: the listeners outside, one set per probe, so that a visit says which attempt got out. Each is shown to be awake by a visit from here.
import dgram from 'node:dgram'
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { makeAuthority } from '../gateway/tls/authority.ts'

/**
 * `port`, `udp`: on loopback. `own`: at an address of this machine's that is not loopback. `socket`: a Unix socket with a file; `abstract`: without.
 * `echo`: HTTP that answers with what it was sent. `tls`: a server whose certificate nobody trusts; only what comes inside counts as a visit.
 */
export const doors = ['port', 'udp', 'own', 'socket', 'abstract', 'echo', 'tls'] as const
export type Door = (typeof doors)[number]

export interface Witness {
  /** Where attempts find it: values for the places of the doors' names; `own` is an address, `ownport` its port. */
  readonly places: Readonly<Partial<Record<Door | 'ownport', string>>>
  readonly hits: number
  /** What visitors sent, cut at 64 KiB. */
  readonly text: string
  /** Whether a visit from the host is seen at every door. */
  awake(): Promise<boolean>
}

export interface Witnesses extends AsyncDisposable {
  readonly of: ReadonlyMap<string, Witness>
}

/** Opens the doors that each probe speaks of. `folder`: for the Unix sockets. */
export async function openWitnesses(wanted: ReadonlyMap<string, readonly Door[]>, folder: string, nonce: string): Promise<Witnesses> {
  await using stack = new AsyncDisposableStack()
  const of = new Map<string, Witness>()
  for (const [id, own] of wanted) of.set(id, await openWitness({ id, doors: own, folder, nonce }, stack))
  const kept = stack.move()
  return { of, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

interface Wanted {
  readonly id: string
  readonly doors: readonly Door[]
  readonly folder: string
  readonly nonce: string
}

/** What all doors of one witness write into. */
interface Seen {
  hits: number
  text: string
  controls: number
  readonly control: string
}

async function openWitness(wanted: Wanted, stack: AsyncDisposableStack): Promise<Witness> {
  const seen: Seen = { hits: 0, text: '', controls: 0, control: `control-${wanted.nonce}` }
  const places: Partial<Record<Door | 'ownport', string>> = {}
  const visits: (() => void)[] = []
  for (const door of wanted.doors) {
    if (door === 'udp') {
      const socket = await openDatagrams(seen, stack)
      places.udp = String(socket.address().port)
      visits.push(() => send(socket.address().port, seen.control))
      continue
    }
    const at = whereOf(door, wanted)
    if (at === undefined) continue // no such address here: the attempts are left out
    const server = openServer(door, seen, stack)
    server.listen(at)
    await once(server, 'listening')
    const to = 'path' in at ? at : { host: at.host, port: (server.address() as AddressInfo).port }
    places[door] = 'path' in to ? to.path.replace(/^\0/, '@') : door === 'own' ? to.host : String(to.port)
    if (door === 'own' && 'port' in to) places.ownport = String(to.port)
    visits.push(() => visit(door, to, seen.control))
  }
  return {
    places,
    awake: async () => {
      const before = seen.controls
      for (const one of visits) one()
      for (let waited = 0; waited < 100 && seen.controls < before + visits.length; waited += 1)
        await new Promise((resolve) => setTimeout(resolve, 10))
      return seen.controls >= before + visits.length
    },
    get hits() {
      return seen.hits
    },
    get text() {
      return seen.text
    },
  }
}

function note(seen: Seen, chunk: Buffer): void {
  if (chunk.includes(seen.control)) {
    seen.controls += 1
    seen.hits -= 1
  } else if (seen.text.length < 65_536) seen.text += chunk.toString('latin1')
}

async function openDatagrams(seen: Seen, stack: AsyncDisposableStack): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4')
  socket.on('message', (message) => {
    seen.hits += 1
    note(seen, message)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  stack.defer(() => void socket.close())
  return socket
}

function openServer(door: Door, seen: Seen, stack: AsyncDisposableStack): net.Server {
  const serve = (socket: Socket): void => {
    if (door !== 'tls') seen.hits += 1
    let first = door === 'tls'
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      if (first) seen.hits += 1
      first = false
      note(seen, chunk)
      if (door === 'echo' || door === 'tls') socket.end(answer(chunk.toString('latin1')))
    })
    if (door !== 'echo' && door !== 'tls') socket.write(answer('WITNESS'))
  }
  const server =
    door === 'tls'
      ? tls
          .createServer({ SNICallback: (name, done) => done(null, makeAuthority().contextFor(name)) }, serve)
          .on('tlsClientError', () => undefined)
      : net.createServer(serve)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  stack.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}

function answer(body: string): Buffer {
  const bytes = Buffer.from(body, 'latin1')
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`), bytes])
}

function whereOf(
  door: Door,
  { id, folder, nonce }: Wanted,
): { readonly path: string } | { readonly host: string; readonly port: number } | undefined {
  if (door === 'socket') return { path: path.join(folder, `${id.slice(0, 30)}.sock`) }
  if (door === 'abstract') return { path: `\0anchorhold-prove-${nonce}-${id}` }
  if (door !== 'own') return { host: '127.0.0.1', port: 0 }
  const host = ownAddress()
  return host === undefined ? undefined : { host, port: 0 }
}

/** The first IPv4 address of this machine's that is not loopback. */
function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
}

function visit(door: Door, to: { readonly path: string } | { readonly host: string; readonly port: number }, text: string): void {
  const socket =
    door === 'tls' && 'port' in to
      ? tls.connect({ ...to, servername: 'witness.test', rejectUnauthorized: false }, () => socket.end(text))
      : net.connect(to, () => socket.end(text))
  socket.on('error', () => undefined)
  socket.resume()
}

function send(port: number, text: string): void {
  const socket = dgram.createSocket('udp4')
  socket.send(text, port, '127.0.0.1', () => socket.close())
}
