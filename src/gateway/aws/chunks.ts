// Gateway, aws: a body signed chunk by chunk (STREAMING-AWS4-HMAC-SHA256-PAYLOAD), each signature over the one before: checked with the
// placeholder's key, written anew with the real one, at the same length. Used by resign.ts.
import { Transform, type TransformCallback } from 'node:stream'
import { hmac, scopeText, sha256, type Scope } from './signature.ts'

export interface ChunkKeys {
  readonly scope: Scope
  /** YYYYMMDDTHHMMSSZ, as in the request. */
  readonly time: string
  readonly cell: { readonly key: Buffer; readonly seed: string }
  readonly real: { readonly key: Buffer; readonly seed: string }
}

const empty = sha256('')
const maxHeader = 128
/** What is held of one chunk until its signature was checked; SDKs send 64 KB to 1 MB. */
const maxChunk = 16 * 1024 * 1024

/**
 * A stream from the cell's body to the server's. Nothing of a chunk goes on before its signature was found right. Fails for anything that is not
 * exactly the format, a chunk over 16 MiB included.
 */
export function resignChunks(keys: ChunkKeys): Transform {
  let pending: Buffer[] = []
  let held = 0
  let chunk: { readonly written: string; readonly size: number; readonly signature: string } | undefined
  let before = { cell: keys.cell.seed, real: keys.real.seed }
  let done = false
  const whole = (): Buffer => {
    const bytes = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending)
    pending = [bytes]
    return bytes
  }
  const sign = (key: Buffer, previous: string, hash: string): string =>
    hmac(key, ['AWS4-HMAC-SHA256-PAYLOAD', keys.time, scopeText(keys.scope), previous, empty, hash].join('\n')).toString('hex')
  const take = (stream: Transform): string | undefined => {
    for (;;) {
      if (chunk === undefined) {
        const bytes = whole()
        if (done) return bytes.length === 0 ? undefined : 'bytes after the last chunk'
        const end = bytes.indexOf('\r\n')
        if (end < 0) return bytes.length > maxHeader ? 'a malformed chunk' : undefined
        const head = /^([0-9a-f]{1,8});chunk-signature=([0-9a-f]{64})$/i.exec(bytes.toString('latin1', 0, Math.min(end, maxHeader)))
        if (head === null) return 'a malformed chunk'
        const size = Number.parseInt(head[1] ?? '', 16)
        if (size > maxChunk) return 'a chunk of more than 16 MiB'
        chunk = { written: head[1] ?? '', size, signature: head[2] ?? '' }
        pending = [bytes.subarray(end + 2)]
        held = bytes.length - end - 2
      }
      if (held < chunk.size + 2) return undefined
      const bytes = whole()
      const data = bytes.subarray(0, chunk.size)
      if (bytes[chunk.size] !== 13 || bytes[chunk.size + 1] !== 10) return 'a chunk that is longer than it says'
      const hash = sha256(data)
      const expected = sign(keys.cell.key, before.cell, hash)
      if (chunk.signature.toLowerCase() !== expected) return 'the signature of a chunk is wrong'
      const real = sign(keys.real.key, before.real, hash)
      before = { cell: expected, real }
      stream.push(Buffer.from(`${chunk.written};chunk-signature=${real}\r\n`, 'latin1'))
      stream.push(bytes.subarray(0, chunk.size + 2))
      done = chunk.size === 0
      pending = [bytes.subarray(chunk.size + 2)]
      held = bytes.length - chunk.size - 2
      chunk = undefined
    }
  }
  return new Transform({
    transform(this: Transform, bytes: Buffer, _encoding: BufferEncoding, next: TransformCallback) {
      pending.push(bytes)
      held += bytes.length
      const wrong = take(this)
      next(wrong === undefined ? null : new Error(wrong))
    },
    flush(next: TransformCallback) {
      next(done ? null : new Error('the body ended before its last chunk'))
    },
  })
}
