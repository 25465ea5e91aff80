// Gateway, exchange: one judged request goes to the server, its answer comes back, both streaming. serve.ts before it, upstream/ below it.
import type { Duplex } from 'node:stream'
import type { GatewayContext } from '../context.ts'
import { BodyError } from '../http/body.ts'
import type { Field } from '../steps/step.ts'
import type { Receiver, ServerConnection, UpgradedServer } from '../upstream/connection.ts'
import { UpstreamError } from '../upstream/error.ts'
import type { ServerHead } from '../upstream/head.ts'
import type { Place } from '../upstream/pool.ts'
import { requestText } from '../upstream/request-text.ts'
import { sendBody } from './send-body.ts'
import { chain } from './through.ts'
import type { AnswerSink, CellRequest, TallyRow } from './types.ts'
import type { Watching } from './watching.ts'

export type Outcome =
  /** The sink has the whole answer, or was cut, or is gone. */
  | { readonly kind: 'over' }
  /** Nothing has been written to the sink yet. */
  | { readonly kind: 'failed'; readonly error: UpstreamError }
  | { readonly kind: 'bad-body'; readonly error: BodyError }
  | { readonly kind: 'upgraded'; readonly fields: readonly Field[]; readonly server: UpgradedServer; readonly early: Buffer }

export interface DeliveryInput {
  readonly context: GatewayContext
  readonly place: Place
  readonly request: CellRequest
  readonly watching: Watching | undefined
  readonly sink: AnswerSink
  /** Called when a connection to the judged address is there, before anything is sent over it. */
  readonly onOpen: () => TallyRow
}

/** Never rejects. A request without a body is sent once more when the kept connection turned out to be closed already (RFC 9112 9.3.1). */
export function deliver(input: DeliveryInput): Promise<Outcome> {
  return new Promise((resolve) => new Delivery(input, resolve).start(false))
}

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

class Delivery implements Receiver {
  private connection: ServerConnection | undefined
  private row: TallyRow | undefined
  private answered = false
  private over = false
  private again = false
  private waiting = false
  private ended = false
  private through: Duplex | undefined
  private resumeThrough: (() => void) | undefined
  private readonly input: DeliveryInput
  private readonly resolve: (outcome: Outcome) => void

  constructor(input: DeliveryInput, resolve: (outcome: Outcome) => void) {
    this.input = input
    this.resolve = resolve
    input.sink.listener = this
  }

  start(fresh: boolean): void {
    if (this.input.sink.gone) return this.gone()
    const taken = this.input.context.pool.take(this.input.place, fresh ? 'fresh' : this.input.request.websocket ? 'upgrade' : undefined)
    if (taken instanceof Promise)
      taken.then(
        (connection) => this.run(connection),
        (error: unknown) =>
          this.broken(error instanceof UpstreamError ? error : new UpstreamError('failed', 'the server could not be asked')),
      )
    else this.run(taken)
  }

  private run(connection: ServerConnection): void {
    if (this.over) return connection.destroy()
    const { context, place, request } = this.input
    this.row = this.input.onOpen()
    this.connection = connection
    const { method, path, fields, body, websocket } = request
    const parent = place.scheme === 'plain' ? context.dialler.parent(place.target) : undefined
    // Zero bytes are said where the cell said them: a server may ask for a length with POST.
    const length = body.length === 0 && (method === 'GET' || method === 'HEAD' || websocket) ? 'none' : body.length
    let head: string
    try {
      head = requestText({ place, parent, method, path, fields, length, websocket })
    } catch (error) {
      connection.destroy()
      return this.broken(error instanceof UpstreamError ? error : new UpstreamError('failed', 'the request could not be written'))
    }
    connection.begin(request, this)
    if (body.length === 0) {
      connection.write(head)
      return connection.sent()
    }
    const count = (bytes: number): void => {
      if (this.row !== undefined) this.row.sent += bytes
    }
    sendBody(connection, head, body, { stopped: () => this.over || this.connection !== connection, count }).then(
      (whole) => (whole ? connection.sent() : undefined),
      (error: unknown) => this.badBody(error),
    )
  }

  head(head: ServerHead): void {
    const { sink, watching, request } = this.input
    const bodiless = head.framing.kind === 'none'
    this.answered = true
    const { status } = head
    let { fields } = head
    if (watching !== undefined) {
      watching.tap?.head({ status, fields })
      const changed = watching.change({ status, fields })
      if (changed === undefined) {
        this.answered = false
        this.connection?.destroy()
        return this.broken(new UpstreamError('step-failed', 'the gateway could not read the answer'))
      }
      fields = changed.fields
      if (changed.through.length > 0 && !bodiless) this.pipe(changed.through)
    }
    const length =
      status === 204 || this.through !== undefined || (request.method === 'HEAD' && watching?.trailers === false) ? undefined : head.length
    // Where steps look at answers, the server's own words behind the status are not among what they saw.
    const phrase = watching?.trailers === false ? {} : { phrase: head.phrase }
    sink.head({ status, ...phrase, fields, length, bodiless, close: false })
  }

  data(piece: Buffer, owned: boolean): boolean {
    if (this.row !== undefined) this.row.received += piece.length
    this.input.watching?.tap?.data(piece)
    const taken = this.through === undefined ? this.input.sink.write(piece, owned) : this.through.write(owned ? piece : Buffer.from(piece))
    if (!taken) this.waiting = true
    return taken
  }

  flush(): void {
    this.input.sink.flush()
  }

  end(trailers: readonly Field[]): void {
    const { watching, sink } = this.input
    watching?.tap?.end(true)
    if (this.through !== undefined) return void this.through.end()
    sink.end(watching?.trailers === false ? [] : trailers)
    this.ended = true
    // What the server's connection read into is still being written from: it must not be used before.
    if (!this.waiting) this.finish({ kind: 'over' })
  }

  upgraded(head: ServerHead, server: UpgradedServer, early: Buffer): void {
    const { watching } = this.input
    const changed = watching === undefined ? head : watching.change(head)
    if (changed !== undefined) return this.finish({ kind: 'upgraded', fields: changed.fields, server, early })
    server.socket.destroy()
    this.broken(new UpstreamError('step-failed', 'the gateway could not read the answer'))
  }

  broken(error: UpstreamError): void {
    if (this.over) return
    const { request, watching, sink } = this.input
    if (this.answered) {
      watching?.tap?.end(false)
      this.through?.destroy()
      sink.cut()
      return this.finish({ kind: 'over' })
    }
    if (error.code === 'stale' && !this.again && request.body.length === 0 && idempotent.has(request.method)) {
      this.again = true
      return this.start(true)
    }
    this.connection?.destroy()
    this.finish({ kind: 'failed', error })
  }

  drained(): void {
    this.resumeThrough?.()
    if (!this.waiting || this.through !== undefined) return
    this.waiting = false
    this.connection?.resume()
    if (this.ended) this.finish({ kind: 'over' })
  }

  gone(): void {
    if (this.over) return
    if (this.answered && !this.ended) this.input.watching?.tap?.end(false)
    this.through?.destroy()
    this.connection?.destroy()
    this.finish({ kind: 'over' })
  }

  private badBody(error: unknown): void {
    if (this.over) return
    this.connection?.destroy()
    if (!this.answered)
      return this.finish({ kind: 'bad-body', error: error instanceof BodyError ? error : new BodyError('ended', 'the body broke off') })
    this.broken(new UpstreamError('bad-body', 'the body of the request broke off'))
  }

  private pipe(streams: readonly Duplex[]): void {
    const { sink } = this.input
    this.through = streams[0]
    this.resumeThrough = chain(streams, {
      data: (piece) => sink.write(piece, true),
      drained: () => {
        this.waiting = false
        this.connection?.resume()
      },
      end: () => {
        sink.end([])
        this.ended = true
        this.finish({ kind: 'over' })
      },
      broken: () => {
        this.connection?.destroy()
        this.broken(new UpstreamError('step-failed', 'the answer could not be rewritten'))
      },
    })
  }

  private finish(outcome: Outcome): void {
    if (this.over) return
    this.over = true
    this.input.sink.listener = undefined
    this.resolve(outcome)
  }
}
