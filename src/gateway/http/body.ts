// Gateway, http: the body of a request of HTTP/1.1, taken out of its framing, as exchange/ pulls it.
import type { BodySource } from '../exchange/types.ts'
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

/** Never holds more than what the inlet read. `onFirst` is called before the first read of a body that is there. */
export function openBody(inlet: Inlet, framing: Framing, onFirst: (() => void) | undefined): BodySource {
  return framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0) ? noBody : new Body(inlet, framing, onFirst)
}

const noBody: BodySource = { length: 0, done: true, read: () => Promise.resolve(undefined) }

class Body implements BodySource {
  readonly length: number | undefined
  done = false
  private left: number
  private inChunk = false
  private onFirst: (() => void) | undefined
  private readonly inlet: Inlet

  constructor(inlet: Inlet, framing: Framing, onFirst: (() => void) | undefined) {
    this.inlet = inlet
    this.length = framing.kind === 'length' ? framing.bytes : undefined
    this.left = this.length ?? 0
    this.onFirst = onFirst
  }

  async read(): Promise<Buffer | undefined> {
    this.onFirst?.()
    this.onFirst = undefined
    if (this.done) return undefined
    if (this.left === 0 && this.length === undefined) await this.nextChunk()
    if (this.done) return undefined
    const chunk = await next(this.inlet)
    const part = chunk.length > this.left ? chunk.subarray(0, this.left) : chunk
    if (chunk.length > this.left) this.inlet.unread(chunk.subarray(this.left))
    this.left -= part.length
    if (this.left === 0 && this.length !== undefined) this.done = true
    return part
  }

  private async nextChunk(): Promise<void> {
    if (this.inChunk && (await readLine(this.inlet)) !== '') throw new BodyError('malformed', 'a chunk that is longer than it says')
    const size = await readLine(this.inlet)
    // Extensions and trailers carry nothing that a program needs and much that parsers disagree on.
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw new BodyError('malformed', 'a malformed chunk size, or a chunk extension')
    this.left = Number.parseInt(size, 16)
    this.inChunk = true
    if (this.left > 0) return
    if ((await readLine(this.inlet, 'trailer fields')) !== '') throw new BodyError('malformed', 'trailer fields')
    this.done = true
  }
}

/** At most 10 characters: a chunk size or an empty line, and its CRLF. `longer`: what a longer one is. */
async function readLine(inlet: Inlet, longer = 'a malformed chunk size, or a chunk extension'): Promise<string> {
  let line = ''
  for (;;) {
    const chunk = await next(inlet)
    const end = chunk.indexOf(10)
    line += chunk.toString('latin1', 0, Math.min(end < 0 ? chunk.length : end + 1, 16))
    if (line.length > 10) throw new BodyError('malformed', longer)
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
