// Proof: the listeners outside, one set per probe, so that a visit says which attempt got out. Each is shown to be awake by a visit from here.
import dgram from 'node:dgram'
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import path from 'node:path'

type Door = 'port' | 'udp' | 'socket' | 'abstract'

export interface Witness {
  /** Where attempts find it: values for the places `{port}`, `{udp}`, `{socket}`, `{abstract}`. */
  readonly places: Readonly<Partial<Record<Door, string>>>
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
  for (const [id, doors] of wanted) of.set(id, await openWitness(id, doors, folder, nonce, stack))
  const kept = stack.move()
  return { of, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function openWitness(
  id: string,
  doors: readonly Door[],
  folder: string,
  nonce: string,
  stack: AsyncDisposableStack,
): Promise<Witness> {
  const seen = { hits: 0, text: '', controls: 0 }
  const control = `control-${nonce}`
  const came = (chunk: Buffer): void => {
    if (chunk.includes(control)) {
      seen.controls += 1
      seen.hits -= 1
    } else if (seen.text.length < 65_536) seen.text += chunk.toString('latin1')
  }
  const places: Partial<Record<Door, string>> = {}
  const visits: (() => void)[] = []
  for (const door of doors) {
    if (door === 'udp') {
      const socket = dgram.createSocket('udp4')
      socket.on('message', (message) => {
        seen.hits += 1
        came(message)
      })
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      stack.defer(() => void socket.close())
      places.udp = String(socket.address().port)
      visits.push(() => send(socket.address().port, control))
      continue
    }
    const server = net.createServer((socket) => {
      seen.hits += 1
      socket.on('error', () => undefined)
      socket.on('data', came)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nWITNESS')
    })
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    const at = whereOf(door, id, folder, nonce)
    server.listen(at)
    await once(server, 'listening')
    stack.defer(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const to = 'path' in at ? at : { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
    places[door] = 'path' in to ? to.path.replace(/^\0/, '@') : String(to.port)
    visits.push(() => {
      const socket = net.connect(to, () => socket.end(control))
      socket.on('error', () => undefined)
      socket.resume()
    })
  }
  const awake = async (): Promise<boolean> => {
    const before = seen.controls
    for (const visit of visits) visit()
    for (let waited = 0; waited < 100 && seen.controls < before + visits.length; waited += 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    return seen.controls >= before + visits.length
  }
  return {
    places,
    awake,
    get hits() {
      return seen.hits
    },
    get text() {
      return seen.text
    },
  }
}

function whereOf(door: Door, id: string, folder: string, nonce: string): { path: string } | { host: string; port: number } {
  if (door === 'socket') return { path: path.join(folder, `${id.slice(0, 30)}.sock`) }
  return door === 'abstract' ? { path: `\0anchorhold-prove-${nonce}-${id}` } : { host: '127.0.0.1', port: 0 }
}

function send(port: number, text: string): void {
  const socket = dgram.createSocket('udp4')
  socket.send(text, port, '127.0.0.1', () => socket.close())
}
