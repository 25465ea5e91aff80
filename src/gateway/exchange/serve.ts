// Gateway, exchange: one request that can be read, whatever protocol it came in: judge → steps → deliver. The fronts call it.
import { hostLoopbackName } from '../../policy/host-rule.ts'
import type { Asked, GatewayContext, Refusal, Target } from '../context.ts'
import type { BodyError } from '../http/body.ts'
import { ownAnswer, type OwnAnswer } from '../http/refusal.ts'
import { judgeTarget, judgeText, limitedRefusal, unlimited, type Judged } from '../judging.ts'
import { classifyAddress } from '../../policy/addresses.ts'
import { join } from '../relay.ts'
import type { Watch } from '../steps/step.ts'
import type { Scheme } from '../upstream/pool.ts'
import { reached } from './connection.ts'
import { deliver, type Outcome } from './deliver.ts'
import { endWatches, runSteps } from './run-steps.ts'
import type { AnswerSink, CellConnection, CellRequest } from './types.ts'
import { watchAll } from './watching.ts'

/** Until the answer is through, cut, or the cell is gone. Never rejects. */
export async function serveRequest(
  context: GatewayContext,
  connection: CellConnection,
  request: CellRequest,
  sink: AnswerSink,
): Promise<void> {
  try {
    await serve(context, connection, request, sink)
  } catch (error) {
    // A defect ends this request, never lets it through.
    const name = error instanceof Error ? error.name : 'unknown'
    context.ledger.warn('gateway-defect', `a request was cut because the gateway failed on it (${name})`)
    sink.cut()
  }
}

async function serve(context: GatewayContext, connection: CellConnection, request: CellRequest, sink: AnswerSink): Promise<void> {
  const judged = judgePlace(context, connection, request)
  const { host, port } = judged.kind === 'allowed' ? judged.target : judged
  const asked: Asked = { host, port, how: connection.asked.how }
  const refuse = (refusal: Refusal, status = statusOf(refusal)): void => {
    context.ledger.refused(asked, refusal)
    own(sink, request, { status, word: 'refused', ...refusal })
  }
  if (judged.kind === 'refused') return refuse(judged.refusal)
  const limit = limitOf(judged, request)
  if (limit !== undefined) return refuse(limit)
  const { target, rule } = judged
  const scheme: Scheme = connection.secure ? context.dialler.leaves(target) : 'plain'
  const steps = context.concerns.steps(target)
  let sent = request
  let watches: readonly Watch[] = []
  if (steps.length > 0) {
    const stepped = await runSteps(steps, target, isSafe(context, target, scheme), request)
    if (sink.gone) return stepped.kind === 'pass' ? endWatches(stepped.watches, false) : undefined
    if (stepped.kind === 'refuse') return refuse(stepped.refusal, stepped.status)
    if (stepped.kind === 'bad-body') return badBody(stepped.error, sink, refuse)
    if (stepped.kind === 'answer') {
      if (stepped.refusal !== undefined) context.ledger.refused(asked, stepped.refusal)
      const { status, fields, body } = stepped
      return answer(sink, request, { status, fields, body, close: false })
    }
    sent = stepped.request
    watches = stepped.watches
  }
  const watching = watchAll(watches)
  const onOpen = (): ReturnType<typeof reached> => reached(context, connection, asked, rule)
  const outcome = await deliver({
    context,
    place: { target, scheme, usualPort: connection.secure ? 443 : 80 },
    request: sent,
    watching,
    sink,
    onOpen,
  })
  endWatches(watches, outcome.kind === 'over' || outcome.kind === 'upgraded')
  if (outcome.kind === 'bad-body') badBody(outcome.error, sink, refuse)
  if (outcome.kind === 'failed') {
    const { refusal, code, message } = outcome.error
    if (refusal !== undefined) return refuse(refusal, 403)
    context.ledger.failed(asked, code, message)
    own(sink, request, { status: code === 'timeout' ? 504 : 502, word: 'failed', code, reason: message })
  }
  if (outcome.kind === 'upgraded') await tunnelOn(context, { asked, target, rule, sink }, outcome)
}

/** The host of each request is judged; on a connection for one host it must also be that host. */
function judgePlace(context: GatewayContext, { asked, target, refusal }: CellConnection, request: CellRequest): Judged {
  if (refusal !== undefined) return { kind: 'refused', host: asked.host, port: asked.port, refusal }
  const said = judgeText(context.network, context.names, request.host, request.port)
  if (target === undefined) return said
  const name = said.kind === 'allowed' ? said.target : said
  if (name.host === target.host && name.port === target.port) return judgeTarget(context.network, target)
  const reason = `the request names ${name.host}:${name.port}, the connection is for ${target.host}:${target.port}`
  return { kind: 'refused', ...target, refusal: { code: 'name-mismatch', reason } }
}

/** A WebSocket is a tunnel: it cannot be held to methods and paths, so it needs a rule without them. */
function limitOf(judged: Judged & { kind: 'allowed' }, request: CellRequest): Refusal | undefined {
  return request.websocket && !unlimited(judged.rules) ? limitedRefusal(judged.target) : undefined
}

/** Verified TLS, or bytes that do not leave this machine because the user said so. */
function isSafe(context: GatewayContext, target: Target, scheme: Scheme): boolean {
  if (scheme === 'tls' || target.host === hostLoopbackName) return true
  const route = context.network.routes.find(({ host, port }) => host === target.host && port === target.port)
  return route !== undefined && classifyAddress(route.to.address).kind === 'loopback'
}

function badBody(error: BodyError, sink: AnswerSink, refuse: (refusal: Refusal, status: number) => void): void {
  if (!sink.gone) refuse({ code: 'bad-request', reason: error.message }, 400)
}

function statusOf(refusal: Refusal): number {
  return refusal.code === 'bad-name' || refusal.code === 'name-mismatch' ? 400 : 403
}

function own(sink: AnswerSink, request: CellRequest, said: OwnAnswer): void {
  // The connection ends with it: what follows in it was meant for somebody else.
  answer(sink, request, { ...ownAnswer(said, sink.json), close: true })
}

function answer(
  sink: AnswerSink,
  request: CellRequest,
  { status, fields, body, close }: Pick<ReturnType<typeof ownAnswer>, 'status' | 'fields' | 'body'> & { readonly close: boolean },
): void {
  const bodiless = request.method === 'HEAD' || body.length === 0
  sink.head({ status, fields, length: body.length, bodiless, close })
  if (!bodiless) sink.write(body)
  sink.end([])
}

async function tunnelOn(
  context: GatewayContext,
  about: { readonly asked: Asked; readonly target: Target; readonly rule: string; readonly sink: AnswerSink },
  { fields, server, early }: Outcome & { kind: 'upgraded' },
): Promise<void> {
  const started = Date.now()
  const inlet = await about.sink.takeOver(fields)
  if (inlet === undefined) return void server.socket.destroy()
  await join(context, { ...about, inlet, upstream: server.socket, upstreamIntake: server.intake, fromUpstream: early, started })
}
