// Gateway, http: the requests of one connection that speaks HTTP/1.1, one after the other. door.ts and accept.ts before it, exchange/ after it.
import type { Asked, GatewayContext, Refusal, Target } from '../context.ts'
import { openCellConnection } from '../exchange/connection.ts'
import { serveRequest } from '../exchange/serve.ts'
import type { CellConnection } from '../exchange/types.ts'
import type { Inlet } from '../inlet.ts'
import { farewell } from '../relay.ts'
import { endOrClose } from '../tunnel/tunnel.ts'
import { readAsk, type Ask } from './ask.ts'
import { openBody } from './body.ts'
import { serveConnect } from './connect.ts'
import { endToEnd } from './fields.ts'
import { valuesOf, type RequestHead } from './head.ts'
import { readHead } from './read-head.ts'
import { ownResponse, type OwnAnswer } from './refusal.ts'
import { makeHttpSink, type HttpSink } from './sink.ts'

export interface HttpInput {
  readonly inlet: Inlet
  /** 'origin': the connection is for `target`; every Host must agree with it. 'proxy': each request says where it goes. */
  readonly role: 'proxy' | 'origin'
  readonly target: Target | undefined
  readonly asked: Asked
  /** TLS was ended: the server is spoken to over verified TLS, or as a route says. */
  readonly secure?: boolean
  /** Set when the connection itself is refused already; requests are read only to be told so. */
  readonly refusal?: Refusal
}

/** Until the cell or a refusal ends the connection. Never rejects. */
export async function serveHttp(context: GatewayContext, input: HttpInput): Promise<void> {
  const { inlet, asked, target, refusal } = input
  const cell = inlet.socket
  cell.setTimeout(context.settings.idleMilliseconds, () => cell.destroy())
  const connection = openCellConnection(context, { asked, target, refusal, secure: input.secure === true })
  const deadline = context.deadlines.open(() => inlet.interrupt())
  const sink = makeHttpSink(inlet)
  try {
    while (!cell.destroyed && !context.signal.aborted) {
      const read = await readHead(context.settings, inlet, deadline)
      if (read.kind === 'gone') {
        endOrClose(cell)
        return cell.destroySoon()
      }
      if (read.kind === 'bad') return refuse(context, input, undefined, read)
      const ask = readAsk(read.head, input.role, input.secure === true ? 443 : 80)
      if (ask.kind === 'bad') return refuse(context, input, read.head, ask)
      if (ask.kind === 'connect') return await serveConnect(context, inlet, ask, read.head)
      if (!(await serveOne(context, connection, { inlet, sink, head: read.head, ask }))) return
    }
  } finally {
    deadline.close()
    connection.close()
  }
}

/** Whether the connection can take the next one. */
async function serveOne(
  context: GatewayContext,
  connection: CellConnection,
  {
    inlet,
    sink,
    head,
    ask,
  }: { readonly inlet: Inlet; readonly sink: HttpSink; readonly head: RequestHead; readonly ask: Ask & { kind: 'request' } },
): Promise<boolean> {
  const { host, port, path, framing, close, websocket } = ask
  const goOn = (): void => {
    if (!sink.answered && !sink.gone) inlet.socket.write('HTTP/1.1 100 Continue\r\n\r\n')
  }
  const body = openBody(inlet, framing, ask.expects ? goOn : undefined)
  sink.begin({ minor: head.minor, close, json: acceptsJson(head), body })
  await serveRequest(context, connection, { method: head.method, host, port, path, fields: endToEnd(head.headers), body, websocket }, sink)
  return sink.keep
}

function acceptsJson(head: RequestHead): boolean {
  return valuesOf(head, 'accept').some((value) => value.includes('application/json'))
}

/** What cannot be read as one request in one way. The connection ends with it: what follows in it was meant for somebody else. */
function refuse(
  context: GatewayContext,
  { inlet, asked }: HttpInput,
  head: RequestHead | undefined,
  { status, reason }: { readonly status: number; readonly reason: string },
): void {
  const own: OwnAnswer = { status, word: 'refused', code: 'bad-request', reason }
  context.ledger.refused(asked, { code: own.code, reason })
  farewell(inlet.socket, ownResponse(own, { json: head !== undefined && acceptsJson(head), head: head?.method === 'HEAD' }))
}
