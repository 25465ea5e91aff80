// Gateway: a request of the host's own (a login that is refreshed), over the same dial as the cell's: routes, the company's proxy, verified TLS.
import type { OwnAnswer, OwnRequest } from '../model/secret.ts'
import type { Target } from './context.ts'
import type { Dialler } from './dial/dial.ts'

const maxBytes = 262_144
const milliseconds = 30_000

/** One request on a connection of its own. Rejects with an Error whose message names no part of what was sent. */
export async function ownRequest(dialler: Dialler, target: Target, request: OwnRequest): Promise<OwnAnswer> {
  const dialled = await (dialler.leaves(target) === 'plain' ? dialler.dial(target, 'tunnel') : dialler.secure(target, ['http/1.1']))
  if (dialled.kind !== 'open') throw new Error(dialled.kind === 'refused' ? dialled.refusal.reason : dialled.reason)
  const { socket } = dialled
  const http = process.getBuiltinModule('node:http')
  return new Promise((resolve, reject) => {
    const sent = http.request({
      createConnection: () => socket,
      host: target.host,
      port: target.port,
      method: request.method,
      path: request.path,
      headers: { ...request.fields, Host: target.port === 443 ? target.host : `${target.host}:${target.port}`, Connection: 'close' },
      signal: AbortSignal.timeout(milliseconds),
    })
    sent.on('socket', (used) => used.resume()) // it comes paused from the dial
    sent.on('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(error.name === 'AbortError' ? 'no answer in time' : `the request failed (${error.code ?? error.message})`)),
    )
    sent.on('response', (response) => {
      const pieces: Buffer[] = []
      let bytes = 0
      response.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > maxBytes) sent.destroy(new Error('the answer is too long'))
        else pieces.push(piece)
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString() }))
      response.on('error', () => reject(new Error('the answer broke off')))
    })
    sent.end(request.body)
  })
}
