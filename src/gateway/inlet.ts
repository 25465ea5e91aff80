// Gateway: pulls bytes out of one socket of the cell, with bounded memory, until a phase takes the socket over. Used by hello, http and socks.
import type { Socket } from 'node:net'
import type { Intake } from './intake.ts'

export interface Inlet {
  readonly socket: Socket
  readonly intake: Intake | undefined
  /** The next bytes; undefined at the end of the stream or when the socket is gone. One reader at a time. Before the first, nothing is taken from the kernel. */
  read(): Promise<Buffer | undefined>
  /** Puts bytes back in front. */
  unread(bytes: Buffer): void
  /** A read that waits gives undefined now, as at the end; the reading can go on afterwards. */
  interrupt(): void
  /** Ends the reading: the socket is paused and has no listener of the inlet left; what was read and not used is returned. */
  release(): Buffer
}

const highWater = 262_144
const small = 16_384
const nothing = Buffer.alloc(0)

/** `intake`: how an accepted socket is read; without one (TLS that was ended) it is an ordinary stream, and `heard` is told of each small piece. */
export function openInlet(socket: Socket, intake?: Intake, heard?: () => void): Inlet {
  return new SocketInlet(socket, intake, heard)
}

class SocketInlet implements Inlet {
  readonly socket: Socket
  readonly intake: Intake | undefined
  private queue: Buffer[] = []
  private size = 0
  private ended: boolean
  private begun = false
  private stopped = false
  private wake: (() => void) | undefined
  private readonly heard: (() => void) | undefined
  private readonly onData = (chunk: Buffer): void => {
    if (chunk.length < small) this.heard?.()
    if (!this.take(chunk)) this.socket.pause()
  }
  private readonly onEnd = (): void => {
    this.ended = true
    this.interrupt()
  }

  constructor(socket: Socket, intake: Intake | undefined, heard: (() => void) | undefined) {
    this.heard = heard
    this.socket = socket
    this.intake = intake
    this.ended = socket.destroyed
    if (intake === undefined) socket.on('data', this.onData)
    // A copy: the memory is read into again. Heads are small; bigger bodies cost what a stream's own memory would.
    else intake.taker = (piece) => this.take(Buffer.from(piece))
    socket.on('end', this.onEnd)
    socket.on('close', this.onEnd)
  }

  async read(): Promise<Buffer | undefined> {
    if (!this.begun) {
      this.begun = true
      this.socket.resume()
    }
    if (this.queue.length === 0 && !this.ended) {
      this.goOn()
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
    const chunk = this.queue.shift()
    if (chunk !== undefined) this.size -= chunk.length
    if (this.size < highWater) this.goOn()
    return chunk
  }

  unread(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.queue.unshift(bytes)
    this.size += bytes.length
  }

  interrupt(): void {
    const waiting = this.wake
    this.wake = undefined
    waiting?.()
  }

  release(): Buffer {
    const { socket, intake, queue } = this
    socket.off('data', this.onData).off('end', this.onEnd).off('close', this.onEnd)
    if (intake !== undefined) intake.taker = undefined
    if (this.begun) socket.pause()
    // A pause stops the stream, not yet the reading: up to a high-water mark lies in the socket itself.
    while (socket.readableLength > 0) queue.push(socket.read() as Buffer)
    const left = queue.length > 1 ? Buffer.concat(queue) : (queue[0] ?? nothing)
    this.queue = []
    this.size = 0
    this.interrupt()
    return left
  }

  private take(chunk: Buffer): boolean {
    this.queue.push(chunk)
    this.size += chunk.length
    this.stopped = this.size >= highWater
    this.interrupt()
    return !this.stopped
  }

  private goOn(): void {
    if (!this.stopped || this.ended) return
    this.stopped = false
    if (this.intake === undefined) this.socket.resume()
    else this.intake.resume()
  }
}
