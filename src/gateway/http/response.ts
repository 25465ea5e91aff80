// Gateway, http: the server's answer, written anew to the cell: fields filtered, framed by us, streaming. Interim answers (103) never get here.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { responseFields } from './fields.ts'

export interface Delivered {
  /** Whether the connection to the cell can take another request. */
  readonly keep: boolean
  readonly received: number
  readonly status: number
}

/** Resolves when the answer is through, or broke off (then the cell's connection is cut, so that the gap can be seen). Never rejects. */
export function writeResponse(
  cell: Socket,
  response: IncomingMessage,
  request: { readonly method: string; readonly minor: 0 | 1; readonly close: boolean },
): Promise<Delivered> {
  const status = response.statusCode ?? 502
  const fields = responseFields(response.rawHeaders)
  if (fields === undefined || status < 200) {
    response.destroy()
    cell.resetAndDestroy()
    return Promise.resolve({ keep: false, received: 0, status })
  }
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304
  const length = response.headers['content-length']
  const chunked = !bodiless && length === undefined && request.minor === 1
  const close = request.close || (!bodiless && length === undefined && request.minor === 0)
  const lines = [`HTTP/1.1 ${status} ${(response.statusMessage ?? '').replace(/[^\t\x20-\x7e\x80-\xff]/g, '')}`]
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`)
  if (length !== undefined && status !== 204) lines.push(`Content-Length: ${length}`)
  if (chunked) lines.push('Transfer-Encoding: chunked')
  lines.push(`Connection: ${close ? 'close' : 'keep-alive'}`, '', '')
  // What of the body is here already goes out with the head, in one packet; a body that comes later does not hold the head back.
  let corked = true
  const uncork = (): void => {
    if (corked) cell.uncork()
    corked = false
  }
  cell.cork()
  cell.write(lines.join('\r\n'), 'latin1')
  setImmediate(uncork)
  return new Promise((resolve) => {
    let received = 0
    const onDrain = (): void => {
      response.resume()
    }
    cell.on('drain', onDrain)
    response.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (!write(cell, chunk, chunked)) response.pause()
      uncork()
    })
    response.on('error', () => undefined) // 'close' follows, with `complete` unset
    response.on('close', () => {
      cell.off('drain', onDrain)
      if (!response.complete) cell.resetAndDestroy()
      else if (chunked && !cell.destroyed) cell.write('0\r\n\r\n')
      uncork()
      resolve({ keep: response.complete && !close && !cell.destroyed, received, status })
    })
  })
}

function write(cell: Socket, chunk: Buffer, chunked: boolean): boolean {
  if (cell.destroyed) return true
  if (!chunked) return cell.write(chunk)
  cell.cork()
  cell.write(`${chunk.length.toString(16)}\r\n`)
  cell.write(chunk)
  const more = cell.write('\r\n')
  process.nextTick(() => cell.uncork())
  return more
}
