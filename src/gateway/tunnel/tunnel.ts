// Gateway, tunnel: the last phase of a connection that is not spoken to: bytes both ways, untouched, counted. lane.ts moves them.
import type { Socket } from 'node:net'
import type { Deadlines } from '../deadlines.ts'
import type { Intake } from '../intake.ts'
import { makeLane, type Lane } from './lane.ts'

export interface TunnelInput {
  /** Paused, nothing buffered. */
  readonly cell: TunnelSide
  readonly upstream: TunnelSide
  /** Bytes that were read from the cell before and belong to the upstream, and the other way round. */
  readonly fromCell: Buffer
  readonly fromUpstream?: Buffer
  readonly idleMilliseconds: number
  readonly halfOpenMilliseconds: number
  readonly deadlines: Deadlines
}

interface TunnelSide {
  readonly socket: Socket
  readonly intake: Intake | undefined
}

export interface TunnelEnd {
  /** Bytes out of and into the cell. */
  readonly sent: number
  readonly received: number
}

const nothing = Buffer.alloc(0)
/** Milliseconds until the kernel is asked to find out by itself whether a server that says nothing is still there. */
const keepAliveAfter = 30_000

/**
 * Resolves when both sides are closed. An end of one side goes on to the other (half-close), a reset as a reset. Whoever destroys one side ends
 * both. Never rejects.
 */
export function tunnel(input: TunnelInput): Promise<TunnelEnd> {
  const { fromCell } = input
  const fromUpstream = input.fromUpstream ?? (input.upstream.intake?.used === true ? nothing : Buffer.concat(drain(input.upstream.socket)))
  if (input.cell.socket.destroyed || input.upstream.socket.destroyed) {
    input.cell.socket.destroy()
    input.upstream.socket.destroy()
    return Promise.resolve({ sent: 0, received: 0 })
  }
  const cell = makeLane(input.cell.socket, input.cell.intake)
  const upstream = makeLane(input.upstream.socket, input.upstream.intake)
  return new Promise((resolve) => {
    let open = 2
    let half = false
    let seen = -1
    const bytes = (): number => cell.bytes() + upstream.bytes()
    // Looked at from time to time, instead of a timer that each byte sets back.
    const quiet = input.deadlines.open(() => {
      const now = bytes()
      if (now === seen) {
        cell.socket.destroy()
        upstream.socket.destroy()
      } else watch()
    })
    // A short connection does without; four system calls would be a tenth of what the gateway does for it.
    const lasting = input.deadlines.open(() => upstream.socket.setKeepAlive(true, 60_000))
    lasting.set(keepAliveAfter)
    const watch = (): void => {
      seen = bytes()
      quiet.set(half ? input.halfOpenMilliseconds : input.idleMilliseconds)
    }
    const ended = (): void => {
      half = true
      watch()
    }
    const closed = (): void => {
      open -= 1
      if (open > 0) return
      quiet.close()
      lasting.close()
      resolve({ sent: cell.bytes() + fromCell.length, received: upstream.bytes() + fromUpstream.length })
    }
    join(cell, upstream, ended, closed)
    join(upstream, cell, ended, closed)
    watch()
    begin(cell, upstream.socket, fromCell)
    begin(upstream, cell.socket, fromUpstream)
  })
}

/** Where the other side has ended too and the kernel has all it was given, closing says the same as ending; TLS says its own goodbye before. */
export function endOrClose(socket: Socket): void {
  if (socket.readableEnded && socket.writableLength === 0 && !('encrypted' in socket)) socket.destroy()
  else socket.end()
}

function join(lane: Lane, other: Lane, ended: () => void, closed: () => void): void {
  let broken = false
  lane.socket.on('error', () => (broken = true)) // what it was does not matter: it closes
  lane.socket.on('end', () => {
    if (!other.socket.destroyed) endOrClose(other.socket)
    ended()
  })
  lane.socket.on('close', (hadError) => {
    // A cut must look like a cut on the other side as well, never like a proper end.
    if ((hadError || broken) && !other.socket.destroyed) other.socket.resetAndDestroy()
    // Where both have ended, the other still sends what it was given, and closes by itself.
    else if (!lane.socket.readableEnded || !other.socket.readableEnded) other.socket.destroy()
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
