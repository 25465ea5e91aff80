// Gateway: a socket that is read into memory of ours, used again for each read, without a stream in between. accept.ts and the dials make these;
// inlet.ts, tunnel/lane.ts and upstream/connection.ts take what comes.
import net, { type Socket } from 'node:net'
import type { OnRead } from './dial/connect.ts'
import { sizes, topLevel, type Buffers } from './tunnel/buffers.ts'

/** Gets each piece. True: go on, the memory is free. False: nothing more until `resume()`; until then the memory stays as it is. */
export type Taker = (piece: Buffer) => boolean

export class Intake {
  /** What `onread` of node:net asks for. */
  readonly onRead: OnRead
  /** Bytes read so far. */
  bytes = 0
  taker: Taker | undefined
  private socket: Socket | undefined
  private buffer: Buffer | undefined
  private level = 0
  private quiet = 0
  private waiting = false
  private kept: Buffer[] = []
  private readonly buffers: Buffers
  private readonly heard: () => void

  /** `heard` is told of each small piece before it is taken: behind a big one more comes by itself, and the later it is read the more at once. */
  constructor(buffers: Buffers, heard: () => void) {
    this.buffers = buffers
    this.heard = heard
    this.onRead = { buffer: () => this.next(), callback: (count, from) => this.receive(count, from as Buffer) }
  }

  /** Whether the socket was really opened with `onRead` (TLS has no such thing). */
  get used(): boolean {
    return this.buffer !== undefined
  }

  /** Once, with the socket that was opened with `onRead`. */
  attach(socket: Socket): void {
    this.socket = socket
    socket.on('close', () => {
      // While a write from it is under way the kernel may still read the buffer: then it is left to the collector.
      if (this.buffer !== undefined && !this.waiting) this.buffers.give(this.buffer)
      this.buffer = undefined
    })
  }

  resume(): void {
    this.waiting = false
    this.socket?.resume()
  }

  private receive(count: number, from: Buffer): boolean {
    this.bytes += count
    if (count < sizes[0]) this.heard()
    // Nobody is there to take it: kept for whoever comes next (`rest`), and no more is read.
    const taken = this.taker === undefined ? this.keep(from.subarray(0, count)) : this.taker(from.subarray(0, count))
    this.waiting = !taken
    if (taken) this.resize(count)
    return taken
  }

  private keep(piece: Buffer): false {
    this.kept.push(Buffer.from(piece))
    return false
  }

  /** What came while nobody took it. */
  rest(): readonly Buffer[] {
    return this.kept.splice(0)
  }

  /** Asked after each read: a quiet connection reads into a small buffer, one that fills it into a bigger one. */
  private next(): Buffer {
    const size = sizes[this.level] ?? sizes[0]
    if (this.buffer?.length === size) return this.buffer
    if (this.buffer !== undefined) this.buffers.give(this.buffer)
    this.buffer = this.buffers.take(this.level)
    return this.buffer
  }

  private resize(count: number): void {
    if (count === this.buffer?.length && this.level < topLevel) this.level += 1
    else if (this.level > 0 && count <= sizes[0]) this.quiet += 1
    else this.quiet = 0
    if (this.quiet > 32) this.level = this.quiet = 0
  }
}

interface RawServer {
  readonly _handle: {
    onconnection?: (error: number | undefined, handle: object | undefined) => void
    setNoDelay?: (on: boolean) => number
  } | null
}

/**
 * Accepts with sockets that read through an intake. node:net lets a client ask for that (`onread`), and an accepting server not: so the new
 * connection's handle goes into a socket of our own. Where the runtime has no such handle, ordinary sockets come, without an intake.
 */
export function acceptInto(
  server: net.Server,
  { buffers, heard }: { readonly buffers: Buffers; readonly heard: () => void },
  onSocket: (socket: Socket, intake: Intake | undefined) => void,
): void {
  const listening = (server as unknown as RawServer)._handle
  if (typeof listening?.onconnection !== 'function') {
    Object.assign(server, { pauseOnConnect: true, allowHalfOpen: true })
    server.on('connection', (socket: Socket) => onSocket(socket.setNoDelay(true), undefined))
    return
  }
  // Linux hands it on to what is accepted: one call instead of one for each connection.
  const inherited = listening.setNoDelay?.(true) === 0
  listening.onconnection = (error, handle) => {
    if (error !== undefined && error !== 0) return // a failed accept concerns one connection; the next one is served
    if (handle === undefined) return
    const intake = new Intake(buffers, heard)
    const options = { handle, allowHalfOpen: true, manualStart: true, onread: intake.onRead }
    const socket = new net.Socket(options as unknown as net.SocketConstructorOpts)
    intake.attach(socket)
    if (!inherited) socket.setNoDelay(true)
    onSocket(socket, intake)
  }
}
