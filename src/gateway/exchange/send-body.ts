// Gateway, exchange: head and body of a request go to the server, as fast as both sides take them. deliver.ts starts it.
import type { ServerConnection } from '../upstream/connection.ts'
import type { BodySource } from './types.ts'

/** Small first pieces travel with the head. */
const together = 16_384

/**
 * Resolves true when everything was sent, false when `stopped`. Rejects with BodyError when the cell's body is no body. `count` learns the bytes
 * of each piece.
 */
export async function sendBody(
  connection: ServerConnection,
  head: string,
  body: BodySource,
  watch: { readonly stopped: () => boolean; readonly count: (bytes: number) => void },
): Promise<boolean> {
  let pending: string | undefined = head
  const writeHead = (): void => {
    if (pending !== undefined && !watch.stopped()) connection.write(pending)
    pending = undefined
  }
  // A body that comes later does not hold the head back.
  const late = setImmediate(writeHead)
  try {
    for (;;) {
      const piece = await body.read()
      if (watch.stopped()) return false
      const framed = frame(piece, body.length === undefined)
      watch.count(piece?.length ?? 0)
      let taken = true
      if (pending !== undefined && framed !== undefined && framed.length <= together) {
        const first: string = pending
        pending = undefined
        taken = connection.write(Buffer.concat([Buffer.from(first, 'latin1'), framed]))
      } else {
        writeHead()
        if (framed !== undefined) taken = connection.write(framed)
      }
      if (piece === undefined) return true
      if (!taken) await connection.drained()
    }
  } finally {
    clearImmediate(late)
  }
}

function frame(piece: Buffer | undefined, chunked: boolean): Buffer | undefined {
  if (!chunked) return piece
  if (piece === undefined) return lastChunk
  if (piece.length === 0) return undefined
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1'), piece, lineEnd])
}

const lastChunk = Buffer.from('0\r\n\r\n', 'latin1')
const lineEnd = Buffer.from('\r\n', 'latin1')
