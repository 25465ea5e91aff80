// Gateway, http2: one stream of a cell that speaks HTTP/2: its body as exchange/ pulls it, and where the answer goes.
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AnswerHead, AnswerSink, BodySource, SinkListener } from '../exchange/types.ts'
import { BodyError } from '../http/body.ts'
import type { Field } from '../steps/step.ts'

/** `length`: what the header block said. `expects`: the cell waits to be told to go on. */
export function streamBody(stream: ServerHttp2Stream, length: number | undefined, expects: boolean): BodySource {
  if (stream.endAfterHeaders) return { length: 0, done: true, read: () => Promise.resolve(undefined) }
  let waits = expects
  let done = false
  let odd = false
  let wake: (() => void) | undefined
  const stir = (): void => wake?.()
  stream.on('readable', stir).on('end', stir).on('close', stir)
  stream.on('trailers', () => (odd = true))
  return {
    length,
    get done() {
      return done
    },
    async read() {
      if (waits && !stream.headersSent && !stream.destroyed) stream.additionalHeaders({ ':status': 100 })
      waits = false
      for (;;) {
        const chunk = stream.read() as Buffer | null
        if (chunk !== null) return chunk
        // The runtime holds the body to its length; trailers are refused as in HTTP/1.1.
        if (odd) throw new BodyError('malformed', 'trailer fields')
        if (stream.readableEnded && !stream.aborted) {
          done = true
          return undefined
        }
        if (stream.destroyed || stream.aborted) throw new BodyError('ended', 'the stream ended inside the body')
        await new Promise<void>((resolve) => (wake = resolve))
        wake = undefined
      }
    },
  }
}

export class StreamSink implements AnswerSink {
  listener: SinkListener | undefined
  readonly json: boolean
  private trailers: readonly Field[] = []
  private readonly stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream, json: boolean) {
    this.stream = stream
    this.json = json
    // Behind the last piece the runtime says 'finish', not 'drain'.
    stream.on('drain', () => this.listener?.drained()).on('finish', () => this.listener?.drained())
    stream.on('wantTrailers', () => this.finish())
    stream.on('close', () => {
      const { listener } = this
      this.listener = undefined
      listener?.gone()
    })
  }

  get gone(): boolean {
    return this.stream.destroyed || this.stream.closed
  }

  head({ status, fields, length, bodiless }: AnswerHead): void {
    if (this.gone) return
    const headers: OutgoingHttpHeaders = { ':status': status, ...grouped(fields) }
    if (length !== undefined && status !== 204) headers['content-length'] = String(length)
    const options = { endStream: bodiless, waitForTrailers: !bodiless, sendDate: false }
    try {
      this.stream.respond(headers, options)
    } catch {
      this.cut() // fields that HTTP/2 has no form for
    }
  }

  /** What is not ours is copied: the runtime keeps it until the cell's window opens. */
  write(chunk: Buffer, owned = false): boolean {
    if (this.gone || chunk.length === 0) return true
    return this.stream.write(owned ? chunk : Buffer.from(chunk))
  }

  flush(): void {
    // The runtime sends a head at once.
  }

  end(trailers: readonly Field[]): void {
    this.trailers = trailers
    if (!this.gone && !this.stream.writableEnded) this.stream.end()
  }

  cut(): void {
    if (!this.gone) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  takeOver(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  private finish(): void {
    try {
      this.stream.sendTrailers(grouped(this.trailers))
    } catch {
      this.cut()
    }
  }
}

/** Names in lower case; what came twice keeps its values apart. */
function grouped(fields: readonly Field[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of fields) {
    const lower = name.toLowerCase()
    const before = headers[lower]
    if (before === undefined) headers[lower] = value
    else if (Array.isArray(before)) before.push(value)
    else headers[lower] = [before, value]
  }
  return headers
}
