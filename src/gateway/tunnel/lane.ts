// Gateway, tunnel: a socket whose bytes are read into one reused buffer and written on from there, without a copy. Used by tunnel.ts, twice.
import net, { type Socket } from 'node:net'
import { sizes, topLevel, type Buffers } from './buffers.ts'

export interface Lane {
  readonly socket: Socket
  /** Sets where the bytes go. Until then nothing is read. */
  start(sink: Socket): void
  /** Bytes read from this socket. */
  readonly bytes: () => number
}

interface RawHandle {
  readonly useUserBuffer?: unknown
  reading?: boolean
  readStop?: () => number
}

/**
 * Takes a connected, paused socket over: its handle goes into a socket of its own that was given a buffer (`onread` in the manual of node:net).
 * The accepting server gives no way to say so from the start. Where the runtime has no such handle (TLS to a parent proxy) the socket stays as it
 * is and is read chunk by chunk. Bytes that the old socket had read must have been taken out before.
 */
export function makeLane(socket: Socket, buffers: Buffers): Lane {
  const owner = socket as unknown as { _handle: RawHandle | null; encrypted?: boolean }
  const handle = owner._handle
  return handle === null || owner.encrypted === true || typeof handle.useUserBuffer !== 'function'
    ? plainLane(socket)
    : bufferLane(socket, owner, handle, buffers)
}

function bufferLane(old: Socket, owner: { _handle: RawHandle | null }, handle: RawHandle, buffers: Buffers): Lane {
  let sink: Socket | undefined
  let bytes = 0
  let level = 0
  let quiet = 0
  let grown = false
  let waiting = false
  let buffer = buffers.take(0)
  const next = (): Buffer => {
    if (!grown) return buffer
    grown = false
    buffers.give(buffer)
    buffer = buffers.take(level)
    return buffer
  }
  const resize = (count: number): void => {
    if (count === buffer.length && level < topLevel) level += 1
    else if (level > 0 && count <= sizes[0]) quiet += 1
    else quiet = 0
    if (quiet > 32) level = quiet = 0
    grown = (sizes[level] ?? sizes[0]) !== buffer.length
  }
  const taken = (): void => {
    if (!waiting || (sink?.writableLength ?? 0) > 0) return
    waiting = false
    socket.resume()
  }
  owner._handle = null
  old.destroy() // an empty shell from here on; the connection lives in the new socket
  const options = {
    handle,
    allowHalfOpen: true,
    manualStart: true,
    onread: {
      buffer: next,
      callback(count: number, from: Uint8Array): boolean {
        bytes += count
        if (sink === undefined || sink.destroyed || sink.writableEnded) return true
        sink.write(from.subarray(0, count), taken)
        // Nothing left in the queue: the kernel has taken every byte, and the buffer is free for the next read.
        waiting = sink.writableLength > 0
        if (!waiting) resize(count)
        return !waiting
      },
    },
  }
  const socket = new net.Socket(options as unknown as net.SocketConstructorOpts)
  // While a write is under way the kernel may still read from the buffer: then it is left to the collector.
  socket.on('close', () => (waiting ? undefined : buffers.give(buffer)))
  return {
    socket,
    bytes: () => bytes,
    start(to) {
      sink = to
      socket.resume()
      socket.read(0)
    },
  }
}

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
