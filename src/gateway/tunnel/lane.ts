// Gateway, tunnel: one direction: the bytes of a socket go on to another, from the memory they were read into where that can be. tunnel.ts has two.
import type { Socket } from 'node:net'
import type { Intake } from '../intake.ts'

export interface Lane {
  readonly socket: Socket
  /** Sets where the bytes go. Until then nothing is read. */
  start(sink: Socket): void
  /** Bytes read from this socket since `start`. */
  readonly bytes: () => number
}

/** The socket is connected and paused. Without an intake (TLS) it is read piece by piece. */
export function makeLane(socket: Socket, intake: Intake | undefined): Lane {
  return intake?.used === true ? intakeLane(socket, intake) : plainLane(socket)
}

function intakeLane(socket: Socket, intake: Intake): Lane {
  const before = intake.bytes
  return {
    socket,
    bytes: () => intake.bytes - before,
    start(sink) {
      const taken = (): void => {
        if (sink.writableLength === 0) intake.resume()
      }
      intake.taker = (piece) => {
        if (sink.destroyed || sink.writableEnded) return true
        sink.write(piece)
        // Nothing left in the queue: the kernel has taken every byte, and the memory is free for the next read.
        if (sink.writableLength === 0) return true
        // An empty piece behind it tells when the queue is empty; a word back for every piece would cost each one.
        sink.write(nothing, taken)
        return false
      }
      for (const piece of intake.rest()) sink.write(piece)
      intake.resume()
    },
  }
}

const nothing = Buffer.alloc(0)

function plainLane(socket: Socket): Lane {
  let bytes = 0
  return {
    socket,
    bytes: () => bytes,
    start(sink) {
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (!sink.write(chunk)) socket.pause()
      })
      sink.on('drain', () => socket.resume())
      socket.resume()
    },
  }
}
