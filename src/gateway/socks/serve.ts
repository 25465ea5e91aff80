// Gateway, socks: SOCKS 5 (RFC 1928) and 4a, CONNECT only, no authentication. Ends in the same door as everything else.
import type { Asked, GatewayContext, Refusal } from '../context.ts'
import type { Inlet } from '../inlet.ts'
import { judgeText } from '../judging.ts'
import { farewell } from '../relay.ts'
import { within } from '../within.ts'
import { readSocks, type SocksRequest } from './request.ts'

export async function serveSocks(context: GatewayContext, inlet: Inlet): Promise<void> {
  const request = await within(context.settings.headMilliseconds, context.signal, () => readSocks(inlet))
  if (inlet.socket.destroyed) return
  if (request === undefined || request.kind === 'bad') {
    const { reason, last } = request ?? { reason: 'no whole SOCKS request in time', last: Buffer.alloc(0) }
    context.ledger.refused({ host: 'proxy', port: 1080, how: 'socks-proxy' }, { code: 'bad-request', reason })
    return farewell(inlet.socket, last)
  }
  const judged = judgeText(context.network, context.names, request.host, request.port)
  const asked: Asked = { host: judged.kind === 'allowed' ? judged.target.host : judged.host, port: request.port, how: 'socks-proxy' }
  const refuse = (refusal: Refusal): void => {
    context.ledger.refused(asked, refusal)
    farewell(inlet.socket, reply(request, 'not-allowed'))
  }
  if (judged.kind === 'refused') return refuse(judged.refusal)
  const reach = await context.dialler.reach(judged.target)
  if (inlet.socket.destroyed) return
  if (reach.kind === 'refused') return refuse(reach.refusal)
  if (reach.kind === 'failed') {
    context.ledger.failed(asked, reach.code, reach.reason)
    return farewell(inlet.socket, reply(request, 'unreachable'))
  }
  inlet.socket.write(reply(request, 'granted'))
  return context.enter(context, { inlet, target: judged.target, by: 'socks-proxy', reach })
}

function reply(request: SocksRequest & { kind: 'connect' }, word: 'granted' | 'not-allowed' | 'unreachable'): Buffer {
  if (request.version === 4) return Buffer.from([0, word === 'granted' ? 90 : 91, 0, 0, 0, 0, 0, 0])
  return Buffer.from([5, { granted: 0, 'not-allowed': 2, unreachable: 4 }[word], 0, 1, 0, 0, 0, 0, 0, 0])
}
