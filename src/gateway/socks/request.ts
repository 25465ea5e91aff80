// Gateway, socks: reads one request, byte for byte. Names stay as they came; the judge's canonical form decides about them. Used by serve.ts.
import type { Inlet } from '../inlet.ts'

export type SocksRequest =
  | { readonly kind: 'connect'; readonly version: 4 | 5; readonly host: string; readonly port: number }
  /** `last`: what is answered before the close; empty where nothing can be. */
  | { readonly kind: 'bad'; readonly reason: string; readonly last: Buffer }

const no5 = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
const no4 = Buffer.from([0, 91, 0, 0, 0, 0, 0, 0])
const none = Buffer.alloc(0)

export async function readSocks(inlet: Inlet): Promise<SocksRequest> {
  const [version] = await take(inlet, 1)
  if (version === 5) return readFive(inlet)
  if (version === 4) return readFour(inlet)
  return bad('neither SOCKS 4 nor 5', none)
}

async function readFive(inlet: Inlet): Promise<SocksRequest> {
  const [count = 0] = await take(inlet, 1)
  const methods = await take(inlet, count)
  if (!methods.includes(0)) return bad('SOCKS without a method that needs no login', Buffer.from([5, 0xff]))
  inlet.socket.write(Buffer.from([5, 0]))
  const [version, command, reserved, kind] = await take(inlet, 4)
  if (version !== 5 || reserved !== 0) return bad('a malformed SOCKS request', no5(1))
  if (command !== 1)
    return bad(
      command === 3
        ? 'SOCKS UDP ASSOCIATE: only TCP goes out'
        : command === 2
          ? 'SOCKS BIND: nothing comes in'
          : 'an unknown SOCKS command',
      no5(7),
    )
  const host = await readHost(inlet, kind)
  if (host === undefined) return bad('an unknown kind of SOCKS address', no5(8))
  const port = (await take(inlet, 2)).readUInt16BE(0)
  return port === 0 ? bad('port 0', no5(2)) : { kind: 'connect', version: 5, host, port }
}

async function readHost(inlet: Inlet, kind: number | undefined): Promise<string | undefined> {
  if (kind === 1) return [...(await take(inlet, 4))].join('.')
  if (kind === 4) return `[${(await take(inlet, 16)).toString('hex').replace(/(.{4})(?=.)/g, '$1:')}]`
  if (kind !== 3) return undefined
  const [length = 0] = await take(inlet, 1)
  // latin1 keeps every byte a character of its own: a NUL, a line end or a folded letter can only be refused, never vanish.
  return (await take(inlet, length)).toString('latin1')
}

async function readFour(inlet: Inlet): Promise<SocksRequest> {
  const head = await take(inlet, 7)
  const port = head.readUInt16BE(1)
  const address = head.subarray(3)
  if ((await readText(inlet)) === undefined) return bad('a malformed SOCKS request', no4)
  if (head[0] !== 1) return bad('a SOCKS command other than CONNECT', no4)
  if (port === 0) return bad('port 0', no4)
  // 0.0.0.x with x ≠ 0 says that a name follows (SOCKS 4A).
  const named = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0
  const host = named ? await readText(inlet) : [...address].join('.')
  return host === undefined ? bad('a malformed SOCKS request', no4) : { kind: 'connect', version: 4, host, port }
}

/** Up to a NUL, at most 255 bytes. */
async function readText(inlet: Inlet): Promise<string | undefined> {
  const bytes: number[] = []
  for (;;) {
    const [byte = 0] = await take(inlet, 1)
    if (byte === 0) return Buffer.from(bytes).toString('latin1')
    if (bytes.push(byte) > 255) return undefined
  }
}

/** Exactly this many bytes; a connection that ends before is destroyed and gives zeros, which no request is made of. */
async function take(inlet: Inlet, count: number): Promise<Buffer> {
  let bytes: Buffer = none
  while (bytes.length < count) {
    const chunk = await inlet.read()
    if (chunk === undefined) {
      inlet.socket.destroy()
      return Buffer.alloc(count)
    }
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
  }
  inlet.unread(bytes.subarray(count))
  return bytes.subarray(0, count)
}

function bad(reason: string, last: Buffer): SocksRequest {
  return { kind: 'bad', reason, last }
}
