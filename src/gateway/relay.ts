// Gateway: what is not spoken to is relayed: dial what was judged, then tunnel. Reached from door.ts and, for WebSockets, exchange/serve.ts.
import type { Socket } from 'node:net'
import type { Asked, GatewayContext, Refusal, Target } from './context.ts'
import type { Inlet } from './inlet.ts'
import { Intake } from './intake.ts'
import type { Reach } from './dial/resolve.ts'
import { tunnel } from './tunnel/tunnel.ts'

export interface RelayInput {
  readonly inlet: Inlet
  readonly target: Target
  readonly asked: Asked
  readonly rule: string
  /** What the name resolved to when that was looked up earlier for this connection. */
  readonly reach?: Reach
  /** Tells a refusal of the dial, instead of a reset. */
  readonly onRefused?: (refusal: Refusal) => Promise<void> | void
}

/** Dials, joins, waits for the end. A refusal or failure closes the cell's side at once. Never rejects. */
export async function relay(context: GatewayContext, input: RelayInput): Promise<void> {
  const { inlet, target, asked } = input
  const started = Date.now()
  if (context.dialler.leaves(target) === 'plain') return refuseSocket(context, inlet.socket, asked, onlyEnded(target))
  const intake = new Intake(context.buffers, context.attention.server)
  const dialled = await context.dialler.dial(target, 'tunnel', input.reach, intake.onRead)
  if (dialled.kind === 'refused') {
    if (input.onRefused !== undefined) return input.onRefused(dialled.refusal)
    return refuseSocket(context, inlet.socket, asked, dialled.refusal)
  }
  if (dialled.kind === 'failed') {
    context.ledger.failed(asked, dialled.code, dialled.reason)
    inlet.socket.resetAndDestroy()
    return
  }
  context.ledger.allowed(asked, input.rule)
  if (intake.used) intake.attach(dialled.socket)
  await join(context, { ...input, upstream: dialled.socket, upstreamIntake: intake, started })
}

/** Where a route leads to plain HTTP, encrypted or raw bytes would reach a server that cannot read them. */
function onlyEnded({ host, port }: Target): Refusal {
  return { code: 'needs-reading', reason: `the route of ${host}:${port} leads to plain HTTP, and what came can't be read as HTTP` }
}

export async function join(
  context: GatewayContext,
  input: RelayInput & {
    readonly upstream: Socket
    readonly upstreamIntake: Intake
    readonly fromUpstream?: Buffer
    readonly started: number
  },
): Promise<void> {
  const { inlet, upstream, asked, started } = input
  const fromCell = inlet.release()
  const { idleMilliseconds, halfOpenMilliseconds } = context.settings
  const early = input.fromUpstream === undefined ? {} : { fromUpstream: input.fromUpstream }
  const end = await tunnel({
    cell: inlet,
    upstream: { socket: upstream, intake: input.upstreamIntake },
    fromCell,
    ...early,
    idleMilliseconds,
    halfOpenMilliseconds,
    deadlines: context.deadlines,
  })
  context.ledger.closed(asked, { ...end, milliseconds: Date.now() - started })
}

/** Closes at once; `last` is what the program inside may still read (an alert, a SOCKS reply). */
export function refuseSocket(context: GatewayContext, socket: Socket, asked: Asked, refusal: Refusal, last?: Buffer): void {
  context.ledger.refused(asked, refusal)
  if (last === undefined) socket.resetAndDestroy()
  else farewell(socket, last)
}

/**
 * Writes a last word and closes. What the cell still sends is read and thrown away for a moment: closing with unread bytes would reset the
 * connection and could take the word with it (RFC 9112 9.6).
 */
export function farewell(socket: Socket, last: Buffer | string): void {
  if (socket.destroyed) return
  socket.end(last)
  socket.resume()
  socket.setTimeout(2_000, () => socket.destroy())
  socket.on('end', () => socket.destroySoon())
}
