// Gateway: the one door. Every connection of the cell comes through here, and comes back through here after CONNECT or SOCKS.
// listener → accept.ts → here → hello/ | http/ | relay.ts. What a proxy or the address said is judged anew each time.
import type { Arrival, Asked, GatewayContext, Refusal } from './context.ts'
import { judgeHello, readHello, unrecognizedName } from './hello/read.ts'
import { serveHttp } from './http/serve.ts'
import { judgeTarget, limitedRefusal, unlimited, type Judged } from './judging.ts'
import { refuseSocket, relay } from './relay.ts'
import { sniff } from './sniff.ts'
import type { NetworkHow } from '../model/events.ts'

/** Never rejects. */
export async function enter(context: GatewayContext, arrival: Arrival): Promise<void> {
  const { inlet, target, reach } = arrival
  const judged = judgeTarget(context.network, target)
  const as = (how: NetworkHow): Asked => ({ host: target.host, port: target.port, how: arrival.by ?? how })
  if (target.port === 80) return enterPlain(context, arrival, judged, as)
  if (judged.kind === 'refused') return refuseSocket(context, inlet.socket, as(target.port === 443 ? 'tls' : 'tcp'), judged.refusal)
  if (target.port === 443) return enterTls(context, arrival, judged, as('tls'))
  if (!unlimited(judged.rules)) return enterPlain(context, arrival, judged, as)
  // Any other port may be one where the server speaks first (ssh, smtp, databases), so nothing is waited for.
  return relay(context, { inlet, target, asked: as('tcp'), rule: judged.rule, ...(reach === undefined ? {} : { reach }) })
}

async function enterTls(context: GatewayContext, arrival: Arrival, judged: Judged & { kind: 'allowed' }, asked: Asked): Promise<void> {
  const { inlet, target, reach } = arrival
  const refuse = (refusal: Refusal): void => refuseSocket(context, inlet.socket, asked, refusal, unrecognizedName)
  if (!unlimited(judged.rules)) return refuse(limitedRefusal(target))
  const hello = await readHello(context, inlet)
  if (inlet.socket.destroyed) return
  const refusal = judgeHello(hello, target.host)
  if (refusal !== undefined) return refuse(refusal)
  return relay(context, { inlet, target, asked, rule: judged.rule, ...(reach === undefined ? {} : { reach }) })
}

/** Plain HTTP, or TLS on a port where HTTP was expected, which is told by the first byte. */
async function enterPlain(context: GatewayContext, arrival: Arrival, judged: Judged, as: (how: NetworkHow) => Asked): Promise<void> {
  const { inlet, target } = arrival
  const first = await sniff(context, inlet)
  if (first === 'gone') return void inlet.socket.destroy()
  if (first === 'other') return serveHttp(context, { inlet, role: 'origin', target, asked: as('http') })
  if (judged.kind === 'refused') return refuseSocket(context, inlet.socket, as('tls'), judged.refusal, unrecognizedName)
  return enterTls(context, arrival, judged, as('tls'))
}
