// Gateway, exchange: the streams of steps that an answer's body goes through, one after the other. deliver.ts writes into the first.
import type { Duplex } from 'node:stream'

export interface ThroughEvents {
  /** A piece of the changed body. False: wait for `resume`. */
  data(piece: Buffer): boolean
  /** The first stream takes more. */
  drained(): void
  end(): void
  /** Once; the streams are destroyed then. */
  broken(): void
}

/** Joins them; gives back what lets the last one go on. */
export function chain(streams: readonly Duplex[], events: ThroughEvents): () => void {
  const first = streams[0]
  const last = streams.at(-1)
  if (first === undefined || last === undefined) return () => undefined
  let over = false
  const fail = (): void => {
    if (over) return
    over = true
    for (const stream of streams) stream.destroy()
    events.broken()
  }
  for (const [at, stream] of streams.entries()) {
    stream.on('error', fail)
    const next = streams[at + 1]
    if (next !== undefined) stream.pipe(next)
  }
  first.on('drain', () => events.drained())
  last.on('data', (piece: Buffer | string) => {
    if (!events.data(typeof piece === 'string' ? Buffer.from(piece) : piece)) last.pause()
  })
  last.on('end', () => {
    if (over) return
    over = true
    events.end()
  })
  return () => void last.resume()
}
