// Gateway, names: DNS over the cell's UDP and TCP sockets (RFC 1035 4.2). The answers are answer.ts's.
import type { Socket as DatagramSocket } from 'node:dgram'
import type { GatewayContext } from '../context.ts'
import type { Inlet } from '../inlet.ts'
import { answerQuery } from './answer.ts'

/** Longest query taken over TCP; a real one has a few hundred bytes. */
const longestQuery = 4_096

export function serveDatagrams(context: GatewayContext, socket: DatagramSocket): void {
  socket.on('error', () => undefined) // a datagram that cannot be sent concerns its asker only
  socket.on('message', (bytes, from) => {
    const answer = answerQuery(context, bytes)
    if (answer === undefined || context.signal.aborted) return
    socket.send(answer, from.port, from.address, () => undefined)
  })
}

/** One connection, many queries, each with its length in front (RFC 7766). Until the asker ends it, or says something else. */
export async function serveStream(context: GatewayContext, inlet: Inlet): Promise<void> {
  const { socket } = inlet
  let pending = Buffer.alloc(0)
  socket.setTimeout(context.settings.headMilliseconds, () => socket.destroy())
  for (let chunk = await inlet.read(); chunk !== undefined; chunk = await inlet.read()) {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0)
      if (length < 12 || length > longestQuery) return void socket.destroy()
      if (pending.length < 2 + length) break
      const answer = answerQuery(context, pending.subarray(2, 2 + length))
      pending = pending.subarray(2 + length)
      if (answer === undefined) return void socket.destroy()
      const framed = Buffer.alloc(2 + answer.length)
      framed.writeUInt16BE(answer.length, 0)
      answer.copy(framed, 2)
      // An asker that does not read its answers is not kept.
      if (!socket.write(framed) && socket.writableLength > 65_536) return void socket.destroy()
    }
  }
  socket.end()
}
