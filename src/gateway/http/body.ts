// Gateway, http: the body of a request, taken out of its framing. Used by forward.ts, which frames it anew.
import type { Inlet } from '../inlet.ts'
import type { Framing } from './ask.ts'

/** A body that is not framed as RFC 9112 7.1 says, or that broke off. */
export class BodyError extends Error {
  readonly broken: 'malformed' | 'ended'
  constructor(broken: 'malformed' | 'ended', message: string) {
    super(message)
    this.name = 'BodyError'
    this.broken = broken
  }
}

/** Yields the content, without ever holding more than what the inlet read. Throws BodyError. */
export async function* readBody(inlet: Inlet, framing: Framing): AsyncGenerator<Buffer, void, undefined> {
  if (framing.kind === 'length') yield* take(inlet, framing.bytes)
  if (framing.kind !== 'chunked') return
  for (;;) {
    const size = await readLine(inlet)
    // Extensions and trailers carry nothing that a program needs and much that parsers disagree on.
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw new BodyError('malformed', 'a malformed chunk size, or a chunk extension')
    const bytes = Number.parseInt(size, 16)
    if (bytes === 0) break
    yield* take(inlet, bytes)
    if ((await readLine(inlet)) !== '') throw new BodyError('malformed', 'a chunk that is longer than it says')
  }
  if ((await readLine(inlet)) !== '') throw new BodyError('malformed', 'trailer fields')
}

async function* take(inlet: Inlet, bytes: number): AsyncGenerator<Buffer, void, undefined> {
  for (let left = bytes; left > 0;) {
    const chunk = await next(inlet)
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk
    if (chunk.length > left) inlet.unread(chunk.subarray(left))
    left -= part.length
    yield part
  }
}

/** At most 10 characters: a chunk size or an empty line, and its CRLF. */
async function readLine(inlet: Inlet): Promise<string> {
  let line = ''
  for (;;) {
    const chunk = await next(inlet)
    const end = chunk.indexOf(10)
    line += chunk.toString('latin1', 0, Math.min(end < 0 ? chunk.length : end + 1, 16))
    if (line.length > 10) throw new BodyError('malformed', 'a malformed chunk size, or a chunk extension')
    if (end < 0) continue
    inlet.unread(chunk.subarray(end + 1))
    if (!line.endsWith('\r\n')) throw new BodyError('malformed', 'a line that does not end with CRLF')
    return line.slice(0, -2)
  }
}

async function next(inlet: Inlet): Promise<Buffer> {
  const chunk = await inlet.read()
  if (chunk === undefined) throw new BodyError('ended', 'the connection ended inside the body')
  return chunk
}
