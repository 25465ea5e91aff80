// For compare.ts: the names of a round, with a resolver and servers of their own in this namespace.
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { decode, encode } from 'dns-packet'
import type { ProofName } from '../../src/prove/canary-policy.ts'

/** Of this machine, as containers see it; its resolver answers there. */
export const ownAddress: string = '10.76.0.1'
/** Of the name at that place in the list: below a route that makes all of them this machine's own. */
const addressOf = (at: number): string => `10.77.${(at + 1) >> 8}.${(at + 1) & 255}`

/** Answers for the names of this round alone; everything else has no address. */
async function openResolver(names: readonly ProofName[], stack: AsyncDisposableStack): Promise<void> {
  const socket = dgram.createSocket('udp4')
  socket.on('message', (message, from) => {
    const { id = 0, questions = [] } = decode(message)
    const at = names.findIndex(({ host }) => host === questions[0]?.name.toLowerCase())
    const name = questions[0]?.name ?? ''
    const answers = at >= 0 && questions[0]?.type === 'A' ? [{ type: 'A' as const, name, ttl: 0, data: addressOf(at) }] : []
    // AUTHORITATIVE_ANSWER and RECURSION_AVAILABLE; 3: no such name.
    socket.send(encode({ type: 'response', id, flags: 0x0480 | (at >= 0 ? 0 : 3), questions, answers }), from.port, from.address)
  })
  socket.bind(53, ownAddress)
  await once(socket, 'listening')
  stack.defer(() => void socket.close())
}

/** Each name gets an address of its own, where the usual ports lead to the probe's listener, as if the name's server were there. */
export async function openNames(names: readonly ProofName[], stack: AsyncDisposableStack): Promise<void> {
  await openResolver(names, stack)
  for (const [at, { port }] of names.entries())
    for (const usual of [80, 443]) {
      const server = net.createServer((client) => {
        const to = net.connect(port, '127.0.0.1')
        client.on('error', () => to.destroy())
        to.on('error', () => client.destroy())
        client.pipe(to).pipe(client)
      })
      server.listen(usual, addressOf(at))
      await once(server, 'listening')
      stack.defer(() => void server.close())
    }
}
