// Gateway, http: CONNECT. A tunnel is not a special case: the socket goes back through the door with the name that was asked for.
import { tryCanonicalHost } from '../../policy/host-name.ts'
import type { Asked, GatewayContext, Target } from '../context.ts'
import type { Reach } from '../dial/resolve.ts'
import type { Inlet } from '../inlet.ts'
import { judgeText } from '../judging.ts'
import { farewell } from '../relay.ts'
import type { Ask } from './ask.ts'
import { valuesOf, type RequestHead } from './head.ts'
import { ownResponse, type OwnAnswer } from './refusal.ts'

/** Judges, resolves, answers 200 or why not; dials nothing. */
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
  const goOn = (target: Target, reach?: Reach): Promise<void> => {
    inlet.socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    return context.enter(context, { inlet, target, by: 'http-proxy', ...(reach === undefined ? {} : { reach }) })
  }
  // Few programs show what a proxy answers to CONNECT: where the cell trusts an authority of ours, the door tells the refusal over TLS.
  const named = context.ending === undefined || ask.port !== 443 ? undefined : tryCanonicalHost(ask.host)
  if (judged.kind === 'refused') {
    if (named?.ok === true) return goOn({ host: named.host, port: ask.port })
    context.ledger.refused(asked, judged.refusal)
    return respond({ status: judged.refusal.code === 'bad-name' ? 400 : 403, word: 'refused', ...judged.refusal })
  }
  const reach = await context.dialler.reach(judged.target)
  if (inlet.socket.destroyed) return
  if (reach.kind === 'refused') {
    if (named?.ok === true) return goOn(judged.target, reach)
    context.ledger.refused(asked, reach.refusal)
    return respond({ status: 403, word: 'refused', ...reach.refusal })
  }
  if (reach.kind === 'failed') {
    context.ledger.failed(asked, reach.code, reach.reason)
    return respond({ status: 502, word: 'failed', code: reach.code, reason: reach.reason })
  }
  return goOn(judged.target, reach)
}
