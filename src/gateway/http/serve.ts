// Gateway, http: the requests of one connection, one after the other, each judged on its own. door.ts and accept.ts before it.
import { judgeRequest, requestRules } from '../../policy/judge-request.ts'
import type { Asked, GatewayContext, Refusal, Target } from '../context.ts'
import type { Inlet } from '../inlet.ts'
import { judgeTarget, judgeText, limitedRefusal, unlimited, type Judged } from '../judging.ts'
import { farewell } from '../relay.ts'
import { readAsk, type Ask } from './ask.ts'
import { serveConnect } from './connect.ts'
import { forward, type Outcome } from './forward.ts'
import { valuesOf, type RequestHead } from './head.ts'
import { readHead } from './read-head.ts'
import { ownResponse, type OwnAnswer } from './refusal.ts'
import { joinWebSocket } from './websocket.ts'

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
  const { inlet, asked } = input
  const cell = inlet.socket
  cell.setTimeout(context.settings.idleMilliseconds, () => cell.destroy())
  const tally: Tally = new Map()
  try {
    while (!cell.destroyed && !context.signal.aborted) {
      const read = await readHead(context, inlet)
      if (read.kind === 'gone') return void cell.end(() => cell.destroy())
      if (read.kind === 'bad')
        return answer(context, input, asked, undefined, { status: read.status, word: 'refused', code: 'bad-request', reason: read.reason })
      const ask = readAsk(read.head, input.role, input.secure === true ? 443 : 80)
      if (ask.kind === 'bad')
        return answer(context, input, asked, read.head, { status: ask.status, word: 'refused', code: 'bad-request', reason: ask.reason })
      if (ask.kind === 'connect') return await serveConnect(context, inlet, ask, read.head)
      if ((await serveOne(context, input, read.head, ask, tally)) !== 'next') return
    }
  } finally {
    for (const row of tally.values())
      context.ledger.closed(row.asked, { sent: row.sent, received: row.received, milliseconds: Date.now() - row.started })
  }
}

type Tally = Map<string, { readonly asked: Asked; sent: number; received: number; readonly started: number }>

async function serveOne(
  context: GatewayContext,
  input: HttpInput,
  head: RequestHead,
  ask: Ask & { kind: 'request' },
  tally: Tally,
): Promise<'next' | 'over'> {
  const { inlet } = input
  const judged = judgeAsk(context, input, ask)
  const target = judged.kind === 'allowed' ? judged.target : judged
  const asked: Asked = { host: target.host, port: target.port, how: input.asked.how }
  const refusal = judged.kind === 'refused' ? judged.refusal : limitOf(context, judged, head, ask)
  if (judged.kind === 'refused' || refusal !== undefined) {
    answer(context, input, asked, head, { status: statusOf(refusal), word: 'refused', ...(refusal ?? nothingSaid) })
    return 'over'
  }
  const key = `${asked.host}:${asked.port}`
  const row = tally.get(key) ?? { asked, sent: 0, received: 0, started: Date.now() }
  const onOpen = (): void => {
    if (tally.has(key)) return
    tally.set(key, row)
    context.ledger.allowed(asked, judged.rule)
  }
  const outcome = await forward(context, {
    inlet,
    head,
    ask,
    target: judged.target,
    agent: context.pool.agent(input.secure === true),
    secure: input.secure === true,
    onOpen,
  })
  if (outcome.kind === 'delivered') row.received += outcome.delivered.received
  if ('sent' in outcome) row.sent += outcome.sent
  return conclude(context, input, { asked, head, rule: judged.rule, target: judged.target }, outcome)
}

async function conclude(
  context: GatewayContext,
  input: HttpInput,
  about: { asked: Asked; head: RequestHead; rule: string; target: Target },
  outcome: Outcome,
): Promise<'next' | 'over'> {
  const { asked, head } = about
  if (outcome.kind === 'upgraded') await joinWebSocket(context, { ...about, inlet: input.inlet }, outcome)
  if (outcome.kind === 'bad-body')
    answer(context, input, asked, head, { status: 400, word: 'refused', code: 'bad-request', reason: outcome.reason })
  if (outcome.kind === 'failed') {
    const { refusal, code, message } = outcome.error
    if (refusal !== undefined) answer(context, input, asked, head, { status: 403, word: 'refused', ...refusal })
    else {
      context.ledger.failed(asked, code, message)
      respond(input, head, { status: code === 'timeout' ? 504 : 502, word: 'failed', code, reason: message })
    }
  }
  if (outcome.kind !== 'delivered') return 'over'
  if (outcome.delivered.keep) return 'next'
  farewell(input.inlet.socket, '')
  return 'over'
}

/** The host of each request is judged; on a connection for one host it must also be that host. */
function judgeAsk(context: GatewayContext, input: HttpInput, ask: Ask & { kind: 'request' }): Judged {
  if (input.refusal !== undefined) return { kind: 'refused', host: input.asked.host, port: input.asked.port, refusal: input.refusal }
  const said = judgeText(context.network, context.names, ask.host, ask.port)
  const { target } = input
  if (target === undefined) return said
  const name = said.kind === 'allowed' ? said.target : said
  if (name.host === target.host && name.port === target.port) return judgeTarget(context.network, target)
  const reason = `the request names ${name.host}:${name.port}, the connection is for ${target.host}:${target.port}`
  return { kind: 'refused', ...target, refusal: { code: 'name-mismatch', reason } }
}

/** A WebSocket is a tunnel: it cannot be held to methods and paths, so it needs a rule without them. */
function limitOf(
  context: GatewayContext,
  judged: Judged & { kind: 'allowed' },
  head: RequestHead,
  ask: Ask & { kind: 'request' },
): Refusal | undefined {
  if (ask.websocket && !unlimited(judged.rules)) return limitedRefusal(judged.target)
  const rules = requestRules(context.network, judged.target)
  const verdict = rules === undefined ? undefined : judgeRequest(rules, head.method, ask.path)
  if (verdict?.kind === 'graphql') return { code: 'graphql', reason: 'GraphQL cannot be read here' }
  return verdict?.kind === 'refuse' ? verdict.refusal : undefined
}

const nothingSaid: Refusal = { code: 'not-listed', reason: 'no rule allows it' }

function statusOf(refusal: Refusal | undefined): number {
  return refusal?.code === 'bad-name' || refusal?.code === 'name-mismatch' ? 400 : 403
}

function answer(context: GatewayContext, input: HttpInput, asked: Asked, head: RequestHead | undefined, own: OwnAnswer): void {
  const { code, reason, remedy } = own
  context.ledger.refused(asked, { code, reason, ...(remedy === undefined ? {} : { remedy }) })
  respond(input, head, own)
}

/** The connection ends with it: what follows in it was meant for somebody else. */
function respond({ inlet }: HttpInput, head: RequestHead | undefined, own: OwnAnswer): void {
  const json = head !== undefined && valuesOf(head, 'accept').some((value) => value.includes('application/json'))
  farewell(inlet.socket, ownResponse(own, { json, close: true, head: head?.method === 'HEAD' }))
}
