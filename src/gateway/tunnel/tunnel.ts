// Gateway, tunnel: the last phase of a connection that is not spoken to: bytes both ways, untouched, counted. lane.ts moves them.
import type { Socket } from 'node:net'
import type { Buffers } from './buffers.ts'
import { makeLane, type Lane } from './lane.ts'

export interface TunnelInput {
  /** Paused, nothing buffered. */
  readonly cell: Socket
  readonly upstream: Socket
  /** Bytes that were read from the cell before and belong to the upstream, and the other way round. */
  readonly fromCell: Buffer
  readonly fromUpstream?: Buffer
  readonly idleMilliseconds: number
  readonly halfOpenMilliseconds: number
  readonly buffers: Buffers
  readonly signal: AbortSignal
}

export interface TunnelEnd {
  /** Bytes out of and into the cell. */
  readonly sent: number
  readonly received: number
}

/** Resolves when both sides are closed. An end of one side goes on to the other (half-close), a reset as a reset. Never rejects. */
export function tunnel(input: TunnelInput): Promise<TunnelEnd> {
  const { signal, fromCell } = input
  const fromUpstream = input.fromUpstream ?? Buffer.concat(drain(input.upstream))
  if (input.cell.destroyed || input.upstream.destroyed || signal.aborted) {
    input.cell.destroy()
    input.upstream.destroy()
    return Promise.resolve({ sent: 0, received: 0 })
  }
  const cell = makeLane(input.cell, input.buffers)
  const upstream = makeLane(input.upstream, input.buffers)
  return new Promise((resolve) => {
    let open = 2
    const stop = (): void => {
      cell.socket.destroy()
      upstream.socket.destroy()
    }
    const closed = (): void => {
      open -= 1
      if (open > 0) return
      signal.removeEventListener('abort', stop)
      resolve({ sent: cell.bytes() + fromCell.length, received: upstream.bytes() + fromUpstream.length })
    }
    join(cell, upstream, input, closed)
    join(upstream, cell, input, closed)
    signal.addEventListener('abort', stop)
    // Every byte in either direction touches the cell's socket, so one timer is enough.
    cell.socket.setTimeout(input.idleMilliseconds, stop)
    begin(cell, upstream.socket, fromCell)
    begin(upstream, cell.socket, fromUpstream)
  })
}

function join(lane: Lane, other: Lane, input: TunnelInput, closed: () => void): void {
  let broken = false
  lane.socket.on('error', () => (broken = true)) // what it was does not matter: it closes
  lane.socket.on('end', () => {
    if (!other.socket.destroyed) other.socket.end()
    if (!lane.socket.destroyed) lane.socket.setTimeout(input.halfOpenMilliseconds, () => lane.socket.destroy())
  })
  lane.socket.on('close', (hadError) => {
    // A cut must look like a cut on the other side as well, never like a proper end.
    if ((hadError || broken) && !other.socket.destroyed) other.socket.resetAndDestroy()
    else if (!lane.socket.readableEnded) other.socket.destroy()
    closed()
  })
}

/** Left-over bytes first; the lane starts when they are taken, so that the order holds. */
function begin(lane: Lane, sink: Socket, before: Buffer): void {
  if (before.length === 0) lane.start(sink)
  else sink.write(before, (error) => (error ? undefined : lane.start(sink)))
}

function drain(socket: Socket): Buffer[] {
  const chunks: Buffer[] = []
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) chunks.push(chunk)
  return chunks
}
