// Gateway: pulls bytes out of one socket of the cell, with bounded memory, until a phase takes the socket over. Used by hello, http and socks.
import type { Socket } from 'node:net'

export interface Inlet {
  readonly socket: Socket
  /** The next bytes; undefined at the end of the stream or when the socket is gone. One reader at a time. */
  read(): Promise<Buffer | undefined>
  /** Puts bytes back in front. */
  unread(bytes: Buffer): void
  /** A read that waits gives undefined now, as at the end; the reading can go on afterwards. */
  interrupt(): void
  /** Ends the reading: the socket is paused and has no listener of the inlet left; what was read and not used is returned. */
  release(): Buffer
}

const highWater = 262_144

export function openInlet(socket: Socket, head: Buffer = Buffer.alloc(0)): Inlet {
  let queue: Buffer[] = head.length > 0 ? [head] : []
  let size = head.length
  let ended = socket.destroyed
  let wake: (() => void) | undefined
  const stir = (): void => {
    const waiting = wake
    wake = undefined
    waiting?.()
  }
  const onData = (chunk: Buffer): void => {
    queue.push(chunk)
    size += chunk.length
    if (size >= highWater) socket.pause()
    stir()
  }
  const onEnd = (): void => {
    ended = true
    stir()
  }
  socket.on('data', onData)
  socket.on('end', onEnd)
  socket.on('close', onEnd)
  socket.resume()
  return {
    socket,
    async read() {
      if (queue.length === 0 && !ended) {
        if (socket.isPaused()) socket.resume()
        await new Promise<void>((resolve) => (wake = resolve))
      }
      const chunk = queue.shift()
      if (chunk !== undefined) size -= chunk.length
      if (size < highWater && socket.isPaused() && !ended) socket.resume()
      return chunk
    },
    unread(bytes) {
      if (bytes.length === 0) return
      queue.unshift(bytes)
      size += bytes.length
    },
    interrupt: stir,
    release() {
      socket.off('data', onData)
      socket.off('end', onEnd)
      socket.off('close', onEnd)
      socket.pause()
      // A pause stops the stream, not yet the reading: up to a high-water mark lies in the socket itself.
      while (socket.readableLength > 0) queue.push(socket.read() as Buffer)
      const left = queue.length === 1 && queue[0] !== undefined ? queue[0] : Buffer.concat(queue)
      queue = []
      size = 0
      stir()
      return left
    },
  }
}
