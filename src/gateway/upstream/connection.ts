// Gateway, upstream: one connection to a server, one exchange at a time. pool.ts makes and keeps these, client.ts uses them.
import type { Socket } from 'node:net'
import type { OnRead } from '../dial/connect.ts'
import type { Field } from '../steps/step.ts'
import { Gathering } from '../gathering.ts'
import { Intake } from '../intake.ts'
import type { Buffers } from '../tunnel/buffers.ts'
import { UpstreamError } from './error.ts'
import type { ServerHead } from './head.ts'
import { makeAnswerReader, type AnswerReader } from './reader.ts'

/** Whoever waits for the answer. Called in this order: head, data…, end; or `broken` at any point, and then nothing more. */
export interface Receiver {
  head(head: ServerHead): void
  /** True: go on. False: nothing more may come until `resume()`. `owned`: the piece is the receiver's for good; else its memory must stay just as long. */
  data(piece: Buffer, owned: boolean): boolean
  /** What came together has been handed over. */
  flush(): void
  end(trailers: readonly Field[]): void
  /** The server switched to a WebSocket, as asked; the socket is the receiver's, `early` what came behind the head. */
  upgraded(head: ServerHead, server: UpgradedServer, early: Buffer): void
  broken(error: UpstreamError): void
}

export interface UpgradedServer {
  readonly socket: Socket
  readonly intake: Intake
}

export interface ServerConnection {
  /** Whether an exchange went through it before: then the server may just have closed it (`stale`). */
  readonly reused: boolean
  readonly open: boolean
  begin(request: { readonly method: string; readonly websocket: boolean }, receiver: Receiver): void
  /** False: wait for `drained`. */
  write(bytes: Buffer | string): boolean
  drained(): Promise<void>
  /** The request is on its way whole: only then the connection can be used again. */
  sent(): void
  resume(): void
  destroy(): void
}

export interface ConnectionInput {
  readonly maxHeadBytes: number
  readonly buffers: Buffers
  /** Told of each small piece that came. */
  readonly heard: () => void
  /** How its socket is read: a plain one, TLS, or TLS that may be handed over as it is (a WebSocket), piece by piece. */
  readonly how: 'plain' | 'tls' | 'tls-stream'
  /** Called when an exchange ended such that the next one may follow. */
  readonly onFree: (connection: ServerConnection) => void
  readonly onClosed: (connection: ServerConnection) => void
}

/** `onRead` goes to the dial; where a company's proxy lies between, it may not be used. Then `attach` with what was dialled, once. */
export function makeServerConnection(input: ConnectionInput): {
  readonly onRead: OnRead | undefined
  readonly attach: (socket: Socket) => ServerConnection
} {
  const made = new Connection(input)
  return { onRead: made.onRead, attach: (socket) => made.attach(socket) }
}

/** Pieces of TLS up to this size are copied, so that an answer is over once it is written: waiting for the last byte to leave would cost more. */
const copied = 8_192

class Connection implements ServerConnection {
  reused = false
  readonly onRead: OnRead | undefined
  private readonly intake: Intake
  private readonly gathering: Gathering | undefined
  private socket: Socket | undefined
  private receiver: Receiver | undefined
  private websocket = false
  private upgrade: ServerHead | undefined
  private sentAll = false
  private answered = false
  private keep = false
  private waiting = false
  private unasked = false
  private readonly onData = (chunk: Buffer): void => void (this.receive(chunk) || this.socket?.pause())
  private readonly onEnd = (): void => this.ended()
  private readonly onClose = (): void => this.closed()
  private readonly reader: AnswerReader
  private readonly input: ConnectionInput

  constructor(input: ConnectionInput) {
    this.input = input
    this.reader = makeAnswerReader(input.maxHeadBytes)
    this.intake = new Intake(input.buffers, input.heard)
    this.gathering = input.how === 'tls' ? new Gathering(input.buffers, input.heard) : undefined
    const source = this.gathering ?? this.intake
    source.taker = (piece) => this.receive(piece)
    this.onRead = input.how === 'tls-stream' ? undefined : source.onRead
  }

  /** What the socket is read with; undefined: it is read as a stream. */
  private get source(): Gathering | Intake | undefined {
    const source = this.gathering ?? this.intake
    return source.used ? source : undefined
  }

  attach(socket: Socket): ServerConnection {
    this.socket = socket
    const { source } = this
    if (source === undefined) socket.on('data', this.onData)
    else source.attach(socket)
    socket.on('end', this.onEnd).on('close', this.onClose)
    // It may have spoken before it was ours to close.
    if (this.unasked) socket.destroy()
    socket.resume()
    return this
  }

  get open(): boolean {
    return this.socket !== undefined && !this.socket.destroyed && !this.socket.readableEnded && this.reader.bad === undefined
  }

  begin(request: { readonly method: string; readonly websocket: boolean }, receiver: Receiver): void {
    this.receiver = receiver
    this.websocket = request.websocket
    this.sentAll = this.answered = this.keep = false
    this.reader.begin(request.method, {
      head: (head) => this.head(head),
      data: (piece) => {
        const { receiver, source } = this
        const copy = source === this.gathering && source !== undefined && piece.length <= copied
        // A stream gives memory of its own with each piece.
        if (receiver?.data(copy ? Buffer.from(piece) : piece, copy || source === undefined) === false) this.waiting = true
      },
      end: (trailers) => this.end(trailers),
    })
    // It closed since it was taken, and nothing will tell of it again.
    if (this.socket?.destroyed === true) queueMicrotask(() => this.break(this.lost('the server broke the connection off')))
  }

  write(bytes: Buffer | string): boolean {
    return this.socket === undefined || this.socket.destroyed || this.socket.write(bytes, 'latin1')
  }

  drained(): Promise<void> {
    const { socket } = this
    if (socket === undefined || socket.destroyed || !socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done)
        resolve()
      }
      socket.on('drain', done).on('close', done)
    })
  }

  sent(): void {
    this.sentAll = true
    this.free()
  }

  resume(): void {
    this.waiting = false
    if (this.source !== undefined) this.source.resume()
    else if (this.socket?.destroyed === false) this.socket.resume()
    this.free()
  }

  destroy(): void {
    this.receiver = undefined
    this.socket?.destroy()
  }

  /** Whether the reading goes on. The memory is read into again after this call, or after `resume`. */
  private receive(bytes: Buffer): boolean {
    const { reader, socket } = this
    if (this.receiver === undefined && !reader.busy) {
      // Nobody asked: an answer that would be taken for the next request's (request splitting from the server's side).
      this.unasked = true
      socket?.destroy()
      return false
    }
    const used = reader.feed(bytes)
    if (this.upgrade !== undefined) return this.handOver(this.upgrade, Buffer.from(bytes.subarray(used)))
    if (reader.bad !== undefined) this.break(new UpstreamError('bad-answer', `the server gave no valid HTTP answer (${reader.bad})`))
    else if (used < bytes.length) socket?.destroy()
    else this.receiver?.flush()
    this.free()
    return !this.waiting
  }

  private head(head: ServerHead): void {
    if (head.status === 101) {
      if (this.websocket && head.websocket) this.upgrade = head
      else this.break(new UpstreamError('unasked-upgrade', 'the server switched protocols without being asked'))
      return
    }
    this.keep = head.keep
    this.receiver?.head(head)
  }

  private end(trailers: readonly Field[]): void {
    if (this.upgrade !== undefined || this.receiver === undefined) return
    const { receiver } = this
    this.receiver = undefined
    this.answered = true
    receiver.end(trailers)
    if (!this.keep || !this.sentAll) this.socket?.destroy()
  }

  private handOver(head: ServerHead, early: Buffer): boolean {
    const { receiver, socket } = this
    this.receiver = this.socket = undefined
    if (socket === undefined) return false
    socket.pause()
    socket.off('data', this.onData).off('end', this.onEnd).off('close', this.onClose)
    this.input.onClosed(this)
    receiver?.upgraded(head, { socket, intake: this.intake }, early)
    return false
  }

  /** The server's end. */
  private ended(): void {
    if (!this.reader.finish()) this.break(this.lost('the server closed the connection without an answer'))
    this.socket?.destroy()
  }

  private closed(): void {
    this.break(this.lost('the server broke the connection off'))
    this.input.onClosed(this)
  }

  private lost(reason: string): UpstreamError {
    return new UpstreamError(this.reused && !this.reader.started ? 'stale' : 'no-answer', reason)
  }

  private break(error: UpstreamError): void {
    const { receiver } = this
    this.receiver = undefined
    this.socket?.destroy()
    receiver?.broken(error)
  }

  private free(): void {
    if (!this.answered || !this.sentAll || !this.keep || this.waiting || !this.open) return
    this.answered = false
    this.reused = true
    this.input.onFree(this)
  }
}
