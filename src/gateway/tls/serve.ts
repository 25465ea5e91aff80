// Gateway, tls: serves a connection of the cell whose TLS is ended here. Loaded only by sessions that have a reason; door.ts asks.
import { tryCanonicalHost } from '../../policy/host-name.ts'
import type { Arrival, Asked, GatewayContext, Refusal } from '../context.ts'
import { unrecognizedName } from '../hello/read.ts'
import type { Hello } from '../hello/parse.ts'
import { serveHttp } from '../http/serve.ts'
import { openInlet } from '../inlet.ts'
import { refuseSocket } from '../relay.ts'
import type { Authority } from './authority.ts'
import { endTls } from './end.ts'

/** What the gateway needs to end TLS; made by `makeEnding` where the session has a reason. */
export interface Ending {
  /** The hello named exactly the judged target. Requests are judged one by one. Never rejects. */
  serve(context: GatewayContext, input: EndedArrival): Promise<void>
  /** Tells a refusal over TLS, in words, where the hello names a host; else by an alert. Never rejects. */
  refuse(context: GatewayContext, input: EndedArrival & { readonly hello: Hello; readonly refusal: Refusal }): Promise<void>
}

interface EndedArrival {
  readonly arrival: Arrival
  readonly asked: Asked
}

export function makeEnding(authority: Authority): Ending {
  return {
    serve: (context, { arrival, asked }) => serveEnded(context, authority, { arrival, asked, host: arrival.target.host }),
    async refuse(context, { arrival, asked, hello, refusal }) {
      const named = hello.kind === 'hello' && hello.serverName !== undefined ? tryCanonicalHost(hello.serverName) : undefined
      if (named?.ok !== true) return refuseSocket(context, arrival.inlet.socket, asked, refusal, unrecognizedName)
      return serveEnded(context, authority, { arrival, asked, host: named.host, refusal })
    },
  }
}

interface EndedInput extends EndedArrival {
  readonly host: string
  readonly refusal?: Refusal
}

async function serveEnded(context: GatewayContext, authority: Authority, input: EndedInput): Promise<void> {
  const { arrival, asked, host, refusal } = input
  const { headMilliseconds: milliseconds } = context.settings
  const ended = await endTls(authority, { inlet: arrival.inlet, host, milliseconds, signal: context.signal })
  if (ended.kind === 'failed') {
    if (refusal !== undefined) return context.ledger.refused(asked, refusal)
    if (ended.distrusts) context.ledger.failed(asked, 'distrusted', distrusted(host))
    return
  }
  const about = { target: arrival.target, asked, ...(refusal === undefined ? {} : { refusal }) }
  if (ended.protocol === 'h2') {
    const { serveHttp2 } = await import('../http2/serve.ts') // most programs inside speak HTTP/1.1
    return serveHttp2(context, { socket: ended.socket, ...about })
  }
  return serveHttp(context, { inlet: openInlet(ended.socket, undefined, context.attention.cell), role: 'origin', secure: true, ...about })
}

function distrusted(host: string): string {
  return `a program inside does not trust the certificate of this session for ${host}; if it knows the server's own certificate only, name the host under network.passThrough`
}
