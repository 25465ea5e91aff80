// Gateway: the one door. Every connection of the cell comes through here, and comes back through here after CONNECT or SOCKS.
// listener → accept.ts → here → hello/ | tls/ | http/ | relay.ts. What a proxy or the address said is judged anew each time.
import type { Arrival, Asked, GatewayContext, Refusal } from './context.ts'
import { judgeEnding } from './ending.ts'
import { judgeHello, readHello, unrecognizedName } from './hello/read.ts'
import { serveHttp } from './http/serve.ts'
import { judgeTarget, limitedRefusal, unlimited, unread, type Judged } from './judging.ts'
import { refuseSocket, relay } from './relay.ts'
import { sniff } from './sniff.ts'
import type { NetworkHow } from '../model/events.ts'

/** Never rejects. */
export async function enter(context: GatewayContext, arrival: Arrival): Promise<void> {
  const { inlet, target, reach } = arrival
  const judged = judgeTarget(context.network, target)
  const as = (how: NetworkHow): Asked => ({ host: target.host, port: target.port, how: arrival.by ?? how })
  if (target.port === 80) return enterPlain(context, arrival, judged, as)
  if (target.port === 443) return enterTls(context, arrival, judged, as('tls'))
  if (judged.kind === 'refused') return refuseSocket(context, inlet.socket, as('tcp'), judged.refusal)
  const mustRead = judgeEnding(context, target, judged.rules).ended || context.concerns.why(target) !== undefined
  if (mustRead || !unlimited(judged.rules)) return enterPlain(context, arrival, judged, as)
  // Any other port may be one where the server speaks first (ssh, smtp, databases), so nothing is waited for.
  return relay(context, { inlet, target, asked: as('tcp'), rule: judged.rule, ...(reach === undefined ? {} : { reach }) })
}

/** The hello is read before anything is decided; a refusal is told over TLS where the session has an authority that the cell trusts. */
async function enterTls(context: GatewayContext, arrival: Arrival, judged: Judged, asked: Asked): Promise<void> {
  const { inlet, target, reach } = arrival
  const { ending } = context
  const quick = (refusal: Refusal): void => refuseSocket(context, inlet.socket, asked, refusal, unrecognizedName)
  if (judged.kind === 'refused' && ending === undefined) return quick(judged.refusal)
  const hello = await readHello(context, inlet)
  if (inlet.socket.destroyed) return
  const tell = (refusal: Refusal): Promise<void> | void =>
    ending === undefined ? quick(refusal) : ending.refuse(context, { arrival, asked, hello, refusal })
  if (judged.kind === 'refused') return tell(judged.refusal)
  const misnamed = judgeHello(hello, target.host)
  if (misnamed !== undefined) return tell(misnamed)
  const verdict = judgeEnding(context, target, judged.rules)
  // A rule with limits is kept or the connection is not made: also where the host is passed through.
  if (!unlimited(judged.rules) && (!verdict.ended || ending === undefined)) return tell(limitedRefusal(target))
  // A step that must read what passes is never gone around: a pass-through host has none, or is refused.
  const why = verdict.ended ? undefined : context.concerns.why(target)
  if (why !== undefined) return tell(unread(target, why))
  if (verdict.ended) return ending === undefined ? quick(unread(target, verdict.why)) : ending.serve(context, { arrival, asked })
  const onRefused = ending === undefined ? {} : { onRefused: tell }
  return relay(context, { inlet, target, asked, rule: judged.rule, ...onRefused, ...(reach === undefined ? {} : { reach }) })
}

/** Plain HTTP, or TLS on a port where HTTP was expected, which is told by the first byte. */
async function enterPlain(context: GatewayContext, arrival: Arrival, judged: Judged, as: (how: NetworkHow) => Asked): Promise<void> {
  const { inlet, target } = arrival
  const first = await sniff(context, inlet)
  if (first === 'gone') return void inlet.socket.destroy()
  if (first === 'other') return serveHttp(context, { inlet, role: 'origin', target, asked: as('http') })
  return enterTls(context, arrival, judged, as('tls'))
}
