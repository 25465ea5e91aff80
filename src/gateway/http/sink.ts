// Gateway, http: answers written to a cell that speaks HTTP/1.1: framed by us, streaming. exchange/ fills it, serve.ts reuses it for each request.
import type { AnswerHead, AnswerSink, BodySource, SinkListener } from '../exchange/types.ts'
import type { Inlet } from '../inlet.ts'
import { farewell } from '../relay.ts'
import type { Field } from '../steps/step.ts'
import { phraseOf } from './phrases.ts'

export interface HttpSink extends AnswerSink {
  /** Before each request. */
  begin(request: SinkRequest): void
  /** Whether the answer is complete and the connection can take another request. */
  readonly keep: boolean
  /** Whether a head was given already. */
  readonly answered: boolean
}

export interface SinkRequest {
  readonly minor: 0 | 1
  readonly close: boolean
  readonly json: boolean
  readonly body: BodySource
}

/** Pieces up to this size are copied together with what belongs around them: one write is cheaper than three. */
const together = 8_192
/** Of pieces that are ours: so much is on its way at once. */
const room = 131_072
const lineEnd = Buffer.from('\r\n', 'latin1')

export function makeHttpSink(inlet: Inlet): HttpSink {
  return new Http1Sink(inlet)
}

class Http1Sink implements HttpSink {
  listener: SinkListener | undefined
  keep = false
  answered = false
  private request: SinkRequest | undefined
  private held = ''
  private chunked = false
  private close = false
  private readonly inlet: Inlet
  /** On every write: the last one is the one after which nothing is left, and over TLS none is done at once. */
  private readonly onTaken = (): void => {
    if (this.inlet.socket.writableLength === 0) this.listener?.drained()
  }

  constructor(inlet: Inlet) {
    this.inlet = inlet
    inlet.socket.on('close', () => {
      const { listener } = this
      this.listener = undefined
      listener?.gone()
    })
  }

  get gone(): boolean {
    return this.inlet.socket.destroyed
  }

  get json(): boolean {
    return this.request?.json === true
  }

  begin(request: SinkRequest): void {
    this.request = request
    this.keep = this.answered = false
    this.held = ''
  }

  head({ status, phrase, fields, length, bodiless, close }: AnswerHead): void {
    const { request } = this
    if (request === undefined) return
    this.answered = true
    this.chunked = !bodiless && length === undefined && request.minor === 1
    // A body of the request that is not read by now may be one that nobody wants: what follows it cannot be found then.
    this.close = close || request.close || !request.body.done || (!bodiless && length === undefined && request.minor === 0)
    let text = `HTTP/1.1 ${status} ${phrase ?? phraseOf(status)}\r\n`
    for (const [name, value] of fields) text += `${name}: ${value}\r\n`
    if (this.chunked) text += 'Transfer-Encoding: chunked\r\n'
    else if (length !== undefined && status !== 204) text += `Content-Length: ${length}\r\n`
    this.held = `${text}Connection: ${this.close ? 'close' : 'keep-alive'}\r\n\r\n`
  }

  write(chunk: Buffer, owned = false): boolean {
    const { socket } = this.inlet
    if (socket.destroyed || chunk.length === 0) return true
    const frame = this.chunked ? `${chunk.length.toString(16)}\r\n` : ''
    const before = this.held + frame
    this.held = ''
    if (before === '') socket.write(chunk, this.onTaken)
    else if (chunk.length <= together) socket.write(join(before, chunk, this.chunked), this.onTaken)
    else {
      socket.cork()
      socket.write(before, 'latin1')
      socket.write(chunk, this.onTaken)
      if (this.chunked) socket.write(lineEnd, this.onTaken)
      socket.uncork()
    }
    return socket.writableLength <= (owned ? room : 0)
  }

  flush(): void {
    const { held } = this
    this.held = ''
    if (held !== '' && !this.gone) this.inlet.socket.write(held, 'latin1', this.onTaken)
  }

  end(trailers: readonly Field[]): void {
    if (this.gone) return
    if (this.chunked) this.held += `0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    this.flush()
    this.keep = !this.close
    if (this.close) farewell(this.inlet.socket, '')
  }

  cut(): void {
    this.inlet.socket.resetAndDestroy()
  }

  async takeOver(fields: readonly Field[]): Promise<Inlet | undefined> {
    const { inlet } = this
    this.answered = true
    if (this.gone) return undefined
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    for (const [name, value] of fields) lines.push(`${name}: ${value}`)
    await new Promise<void>((resolve) => inlet.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1', () => resolve()))
    return inlet
  }
}

function join(before: string, chunk: Buffer, chunked: boolean): Buffer {
  const bytes = Buffer.allocUnsafe(before.length + chunk.length + (chunked ? 2 : 0))
  bytes.write(before, 0, 'latin1')
  chunk.copy(bytes, before.length)
  if (chunked) bytes.write('\r\n', before.length + chunk.length, 'latin1')
  return bytes
}
