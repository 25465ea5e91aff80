// HTTP/2 written by hand (RFC 9113, 7541): frames and field blocks that no client library would send. Literals only, no Huffman.
import type { Duplex } from 'node:stream'

export type Pair = readonly [name: string, value: string]

export interface RawRequest {
  readonly pairs: readonly Pair[]
  /** DATA frames in order; none: the stream ends with its fields. */
  readonly data: readonly string[]
  readonly trailers?: readonly Pair[]
}

/** Preface, empty SETTINGS, and each request on its own stream. */
export function rawHttp2(requests: readonly RawRequest[]): Buffer {
  const parts: Buffer[] = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0))]
  requests.forEach(({ pairs, data, trailers }, index) => {
    const stream = index * 2 + 1
    const last = data.length === 0 && trailers === undefined
    parts.push(frame(1, 4 | (last ? 1 : 0), stream, block(pairs)))
    data.forEach((text, at) =>
      parts.push(frame(0, at === data.length - 1 && trailers === undefined ? 1 : 0, stream, Buffer.from(text, 'latin1'))),
    )
    if (trailers !== undefined) parts.push(frame(1, 5, stream, block(trailers)))
  })
  return Buffer.concat(parts)
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Each field as a literal that is not indexed. */
function block(pairs: readonly Pair[]): Buffer {
  return Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const rest = bytes.length - 127
  const size: number[] = [127]
  for (let left = rest; ; left >>= 7) {
    size.push(left > 127 ? (left & 127) | 128 : left)
    if (left <= 127) break
  }
  return Buffer.concat([Buffer.from(size), bytes])
}

/** Resolves when every stream is answered or reset, or the connection ended. */
export function settled(socket: Duplex, streams: number): Promise<void> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    const done = new Set<number>()
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const [length, type, flags, stream] = [bytes.readUIntBE(0, 3), bytes[3], bytes[4] ?? 0, bytes.readUInt32BE(5)]
        if (type === 3 || ((type === 0 || type === 1) && (flags & 1) === 1)) done.add(stream)
        if (type === 7) return resolve()
        bytes = bytes.subarray(9 + length)
      }
      if (done.size >= streams) resolve()
    })
    socket
      .on('end', resolve)
      .on('close', resolve)
      .on('error', () => resolve())
  })
}
