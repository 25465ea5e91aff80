// Gateway, http: CONNECT. A tunnel is not a special case: the socket goes back through the door with the name that was asked for.
import type { Asked, GatewayContext } from '../context.ts'
import type { Inlet } from '../inlet.ts'
import { judgeText } from '../judging.ts'
import { farewell } from '../relay.ts'
import type { Ask } from './ask.ts'
import { valuesOf, type RequestHead } from './head.ts'
import { ownResponse, type OwnAnswer } from './refusal.ts'

/** Judges, resolves, answers 200 or why not; dials nothing yet. */
export async function serveConnect(
  context: GatewayContext,
  inlet: Inlet,
  ask: Ask & { kind: 'connect' },
  head: RequestHead,
): Promise<void> {
  const json = valuesOf(head, 'accept').some((value) => value.includes('application/json'))
  const respond = (own: OwnAnswer): void => farewell(inlet.socket, ownResponse(own, { json, head: false }))
  const judged = judgeText(context.network, context.names, ask.host, ask.port)
  const asked: Asked = { host: judged.kind === 'allowed' ? judged.target.host : judged.host, port: ask.port, how: 'http-proxy' }
  if (judged.kind === 'refused') {
    context.ledger.refused(asked, judged.refusal)
    return respond({ status: judged.refusal.code === 'bad-name' ? 400 : 403, word: 'refused', ...judged.refusal })
  }
  const reach = await context.dialler.reach(judged.target)
  if (inlet.socket.destroyed) return
  if (reach.kind === 'refused') {
    context.ledger.refused(asked, reach.refusal)
    return respond({ status: 403, word: 'refused', ...reach.refusal })
  }
  if (reach.kind === 'failed') {
    context.ledger.failed(asked, reach.code, reach.reason)
    return respond({ status: 502, word: 'failed', code: reach.code, reason: reach.reason })
  }
  inlet.socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
  return context.enter(context, { inlet, target: judged.target, by: 'http-proxy', reach })
}
