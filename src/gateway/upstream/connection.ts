// Gateway, upstream: one connection to a server, one exchange at a time. pool.ts makes and keeps these, client.ts uses them.
import type { Socket } from 'node:net'
import type { OnRead } from '../dial/connect.ts'
import type { Field } from '../steps/step.ts'
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
  /** Called when an exchange ended such that the next one may follow. */
  readonly onFree: (connection: ServerConnection) => void
  readonly onClosed: (connection: ServerConnection) => void
}

/** `onRead` goes to the dial of a plain socket; TLS has none and is read piece by piece. Then `attach` with what was dialled, once. */
export function makeServerConnection(input: ConnectionInput): {
  readonly onRead: OnRead
  readonly attach: (socket: Socket) => ServerConnection
} {
  const made = new Connection(input)
  return { onRead: made.intake.onRead, attach: (socket) => made.attach(socket) }
}

class Connection implements ServerConnection {
  reused = false
  readonly intake: Intake
  private socket: Socket | undefined
  private receiver: Receiver | undefined
  private websocket = false
  private upgrade: ServerHead | undefined
  private sentAll = false
  private answered = false
  private keep = false
  private waiting = false
  private readonly onData = (chunk: Buffer): void => void (this.receive(chunk) || this.socket?.pause())
  private readonly onEnd = (): void => this.ended()
  private readonly onClose = (): void => this.closed()
  private readonly reader: AnswerReader
  private readonly input: ConnectionInput

  constructor(input: ConnectionInput) {
    this.input = input
    this.reader = makeAnswerReader(input.maxHeadBytes)
    this.intake = new Intake(input.buffers)
    this.intake.taker = (piece) => this.receive(piece)
  }

  attach(socket: Socket): ServerConnection {
    this.socket = socket
    socket.on('end', this.onEnd).on('close', this.onClose)
    if (this.intake.used) this.intake.attach(socket)
    else socket.on('data', this.onData)
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
        // TLS gives memory of its own with each piece.
        if (this.receiver !== undefined && !this.receiver.data(piece, !this.intake.used)) this.waiting = true
      },
      end: (trailers) => this.end(trailers),
    })
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
    if (this.intake.used) this.intake.resume()
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
