// Gateway, upstream: takes a server's bytes apart into one answer at a time, in whatever pieces they come. connection.ts feeds it. No I/O.
import type { Field } from '../steps/step.ts'
import { parseFields, parseServerHead, type ServerHead } from './head.ts'

/** What an answer is made of. A piece of the body is a view of what was fed: valid during the call, or as the receiver agreed with the feeder. */
export interface AnswerParts {
  head(head: ServerHead): void
  data(piece: Buffer): void
  end(trailers: readonly Field[]): void
}

export interface AnswerReader {
  /** Before each request. */
  begin(method: string, parts: AnswerParts): void
  /** How many bytes belong to this answer: fewer than given when it ends among them, or turned bad. Never throws by itself. */
  feed(bytes: Buffer): number
  /** The server ended the connection. True when that was the proper end of the answer. */
  finish(): boolean
  /** Whether an answer is under way; false before `begin` and after its end. */
  readonly busy: boolean
  /** Whether any byte of the answer came. */
  readonly started: boolean
  /** Why these bytes are no answer. For good: nothing that follows can be trusted. */
  readonly bad: string | undefined
}

type State = 'idle' | 'head' | 'length' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'close' | 'bad'

const empty: Buffer = Buffer.alloc(0)
const maxInterim = 32
/** A chunk size, its extensions and the line end. */
const maxSizeLine = 1_024

export function makeAnswerReader(maxHeadBytes: number): AnswerReader {
  return new Reader(maxHeadBytes)
}

class Reader implements AnswerReader {
  bad: string | undefined
  started = false
  private state: State = 'idle'
  private parts: AnswerParts | undefined
  private method = ''
  private held: Buffer = empty
  private left = 0
  private interim = 0
  private readonly maxHeadBytes: number

  constructor(maxHeadBytes: number) {
    this.maxHeadBytes = maxHeadBytes
  }

  get busy(): boolean {
    return this.state !== 'idle' && this.state !== 'bad'
  }

  begin(method: string, parts: AnswerParts): void {
    if (this.state !== 'idle') return
    this.state = 'head'
    this.method = method
    this.parts = parts
    this.started = false
    this.interim = 0
  }

  feed(bytes: Buffer): number {
    let at = 0
    this.started ||= bytes.length > 0
    while (at < bytes.length && this.busy) at = this.step(bytes, at)
    return at
  }

  finish(): boolean {
    const proper = this.state === 'close'
    if (proper) this.done(noTrailers)
    return proper
  }

  private step(bytes: Buffer, at: number): number {
    switch (this.state) {
      case 'length':
      case 'chunk':
        return this.take(bytes, at)
      case 'close':
        this.parts?.data(at === 0 ? bytes : bytes.subarray(at))
        return bytes.length
      case 'head':
        return this.block(bytes, at, '\r\n\r\n', this.maxHeadBytes)
      case 'trailers':
        // An empty line at once, or fields up to an empty line.
        return this.block(bytes, at, this.trailerEnd(bytes, at), this.maxHeadBytes)
      case 'size':
      case 'chunk-end':
        return this.block(bytes, at, '\r\n', this.state === 'size' ? maxSizeLine : 2)
      case 'idle':
      case 'bad':
        return bytes.length
    }
  }

  private take(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.left)
    this.left -= end - at
    this.parts?.data(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    if (this.left === 0) {
      if (this.state === 'chunk') this.state = 'chunk-end'
      else this.done(noTrailers)
    }
    return end
  }

  private trailerEnd(bytes: Buffer, at: number): '\r\n' | '\r\n\r\n' {
    const first = this.held[0] ?? bytes[at]
    const second = this.held.length > 1 ? this.held[1] : bytes[at + 1 - this.held.length]
    return first === 13 && (second === 10 || second === undefined) ? '\r\n' : '\r\n\r\n'
  }

  /** Text up to and with `end`; what is not whole yet is held, bounded. */
  private block(bytes: Buffer, at: number, end: string, most: number): number {
    const before = this.held.length
    const all = before === 0 ? bytes : Buffer.concat([this.held, bytes.subarray(at)])
    const from = before === 0 ? at : 0
    const found = all.indexOf(end, before === 0 ? at : Math.max(0, before - end.length + 1), 'latin1')
    const length = (found < 0 ? all.length : found + end.length) - from
    if (length > most) return this.fail(bytes, end === '\r\n\r\n' ? `a head of more than ${most} bytes` : 'a malformed chunk')
    if (found < 0) {
      // A copy: the memory that was fed is read into again.
      this.held = before === 0 ? Buffer.from(bytes.subarray(at)) : all
      if (bareLineFeed(this.held, before)) return this.fail(bytes, 'a line that does not end with CRLF')
      // A server that speaks something else may never send an empty line.
      if (this.state === 'head' && !beginsLikeHttp(this.held)) return this.fail(bytes, 'a malformed status line')
      return bytes.length
    }
    this.held = empty
    this.text(all.toString('latin1', from, found))
    return before === 0 ? found + end.length : at + length - before
  }

  private text(text: string): void {
    if (this.state === 'head') return this.head(text)
    if (this.state === 'trailers') return this.trailers(text)
    if (this.state === 'chunk-end') {
      if (text === '') this.state = 'size'
      else this.fail(empty, 'a chunk that is longer than it says')
      return
    }
    // Extensions mean nothing to anybody (RFC 9112 7.1.1); some old servers pad the size with spaces.
    const size = /^0{0,16}([0-9a-fA-F]{1,12})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/.exec(text)?.[1]
    if (size === undefined) return void this.fail(empty, 'a malformed chunk size')
    this.left = Number.parseInt(size, 16)
    this.state = this.left === 0 ? 'trailers' : 'chunk'
  }

  private head(text: string): void {
    const result = parseServerHead(text, this.method)
    if (result.kind === 'bad') return void this.fail(empty, result.reason)
    const { head } = result
    if (head.status < 200 && head.status !== 101) {
      this.interim += 1
      if (this.interim > maxInterim) this.fail(empty, 'interim answers without end')
      return
    }
    this.left = head.framing.kind === 'length' ? head.framing.bytes : 0
    this.state = ({ none: 'head', length: 'length', chunked: 'size', close: 'close' } as const)[head.framing.kind]
    this.parts?.head(head)
    if (head.framing.kind === 'none' && this.busy) this.done(noTrailers)
  }

  private trailers(text: string): void {
    const parsed = text === '' ? undefined : parseFields(text.split('\r\n'), 0)
    if (parsed?.kind === 'bad' || /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/.test(text))
      return void this.fail(empty, 'malformed trailer fields')
    this.done(parsed?.fields ?? noTrailers)
  }

  private done(trailers: readonly Field[]): void {
    const { parts } = this
    this.state = 'idle'
    this.parts = undefined
    parts?.end(trailers)
  }

  private fail(bytes: Buffer, reason: string): number {
    this.state = 'bad'
    this.bad = reason
    this.parts = undefined
    this.held = empty
    return bytes.length
  }
}

const begin = Buffer.from('HTTP/1.', 'latin1')

function beginsLikeHttp(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, begin.length)
  return bytes.compare(begin, 0, length, 0, length) === 0
}

const noTrailers: readonly Field[] = []

function bareLineFeed(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, at + 1)) if (bytes[at - 1] !== 13) return true
  return false
}
