// Gateway: a TLS connection that is read into memory of ours. TLS comes in records of 16 KB at most; those that come together are handed on together.
// upstream/connection.ts has one for each server; intake.ts is its like for plain sockets.
import type { Socket } from 'node:net'
import type { OnRead } from './dial/connect.ts'
import type { Taker } from './intake.ts'
import { sizes, topLevel, type Buffers } from './tunnel/buffers.ts'

/** The most that one record holds (RFC 8446 5.1): where one is full, more is likely to follow at once. */
const fullRecord = 16_384

export class Gathering {
  /** What `onread` of node:tls asks for. */
  readonly onRead: OnRead
  /** False: nothing more until `resume()`, but for the last bytes of a connection that has ended. */
  taker: Taker | undefined
  private socket: Socket | undefined
  private block: Buffer | undefined
  /** The next byte is read to here. The runtime knows this place from the last call of `room`: it is moved nowhere else. */
  private to = 0
  /** Full blocks that were not handed on yet: after a stop, what was decrypted already still comes. */
  private readonly full: Buffer[] = []
  /** What lies before was handed on: in the first of `full`, else in `block`. */
  private from = 0
  /** Handed on whole, and still being written from. */
  private readonly held: Buffer[] = []
  private waiting = false
  private stopped = false
  private due = false
  private level = 0
  private quiet = 0
  private readonly buffers: Buffers
  private readonly heard: () => void

  /** `heard` is told of each record that is not full, before it is handed on. */
  constructor(buffers: Buffers, heard: () => void) {
    this.buffers = buffers
    this.heard = heard
    this.onRead = { buffer: () => this.room(), callback: (count) => this.receive(count) }
  }

  /** Whether the socket was really opened with `onRead`. */
  get used(): boolean {
    return this.block !== undefined
  }

  /** Once, with the socket that was opened with `onRead`, before anybody else listens for its end. */
  attach(socket: Socket): void {
    this.socket = socket
    socket.on('end', () => this.handOn(true))
    socket.on('close', () => {
      this.handOn(true)
      // While a write from it is under way the memory is left to the collector.
      if (this.block !== undefined && !this.waiting) this.buffers.give(this.block)
      this.block = undefined
    })
  }

  resume(): void {
    this.waiting = false
    for (const block of this.held.splice(0)) this.buffers.give(block)
    this.handOn(false)
    if (!this.stopped || !this.goesOn()) return
    this.stopped = false
    this.socket?.resume()
  }

  private receive(count: number): boolean {
    this.to += count
    if (count < fullRecord) this.heard()
    if (count < fullRecord || this.to === this.block?.length) this.handOn(false)
    else if (!this.due) {
      this.due = true
      // After everything that is there to be read now.
      setImmediate(() => {
        this.due = false
        this.handOn(false)
      })
    }
    // Once stopped, only `resume` goes on: what comes until then was decrypted before.
    this.stopped ||= !this.goesOn()
    return !this.stopped
  }

  /** The next block fills while one is being written from; no more than that. */
  private goesOn(): boolean {
    return !this.waiting || (this.full.length === 0 && this.to !== this.block?.length)
  }

  private handOn(all: boolean): void {
    for (;;) {
      if (this.taker === undefined || (this.waiting && !all)) return
      const block = this.full[0] ?? this.block
      const end = block === this.block ? this.to : (block?.length ?? 0)
      if (block === undefined || this.from === end) return
      const piece = block.subarray(this.from, end)
      this.from = end
      if (block !== this.block) {
        this.full.shift()
        this.from = 0
      }
      if (!this.taker(piece)) this.waiting = true
      if (block === this.block) continue
      if (this.waiting) this.held.push(block)
      else this.buffers.give(block)
    }
  }

  /** Asked after each read. */
  private room(): Buffer {
    const { block } = this
    if (block !== undefined) {
      const handedOn = this.full.length === 0 && this.from === this.to
      if (handedOn && !this.waiting) this.again(block)
      else if (this.to === block.length) {
        if (handedOn) this.held.push(block)
        else this.full.push(block)
        if (handedOn) this.from = 0
        this.grow()
        this.block = undefined
        this.to = 0
      }
    }
    this.block ??= this.buffers.take(this.level)
    return this.to === 0 ? this.block : this.block.subarray(this.to)
  }

  /** Everything of it was taken: it is filled from its start once more, or gives way to one of another size. */
  private again(block: Buffer): void {
    if (this.to === block.length) this.grow()
    else if (this.level > 0 && this.to <= sizes[0]) this.quiet += 1
    else this.quiet = 0
    if (this.quiet > 32) this.level = this.quiet = 0
    this.from = this.to = 0
    if (block.length === sizes[this.level]) return
    this.buffers.give(block)
    this.block = undefined
  }

  private grow(): void {
    this.quiet = 0
    if (this.level < topLevel) this.level += 1
  }
}
