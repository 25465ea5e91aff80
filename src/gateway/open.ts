// Gateway: opened once per session, before the cell starts; takes the cell's listeners over and closes them in the end.
// Reading order: accept.ts → door.ts → hello/ | tls/ | http/ | http2/ | socks/ → judging.ts → dial/ → relay.ts → tunnel/. names/ answers DNS beside it.
import { Server, type Socket } from 'node:net'
import type { Socket as DatagramSocket } from 'node:dgram'
import { Failure } from '../errors/failure.ts'
import type { BornListener } from '../model/engine.ts'
import type { Emit } from '../model/events.ts'
import type { Ask } from '../model/secret.ts'
import { acceptFrom } from './accept.ts'
import { makeAttention } from './attention.ts'
import type { GatewayContext, Network } from './context.ts'
import { enter } from './door.ts'
import { makeDeadlines } from './deadlines.ts'
import { makeDialler, systemResolver } from './dial/dial.ts'
import { readParents } from './dial/parent.ts'
import type { Resolver } from './dial/resolve.ts'
import { makeSecure } from './dial/secure.ts'
import { makeInTime } from './dial/stop.ts'
import { makeLedger, type GatewayStats } from './ledger.ts'
import { serveDatagrams } from './names/serve.ts'
import { makeNames } from './names/table.ts'
import { makeConcerns } from './steps/concerns.ts'
import type { Step } from './steps/step.ts'
import { makeBuffers } from './tunnel/buffers.ts'
import type { Ending } from './tls/serve.ts'
import { makePool } from './upstream/pool.ts'
import { defaultSettings, type GatewaySettings } from './settings.ts'

export { listenersFor } from './listeners.ts'
export type { GatewayStats } from './ledger.ts'

export interface GatewayInput {
  readonly network: Network
  readonly emit: Emit
  /** Ends everything, like disposing. */
  readonly signal: AbortSignal
  /** The caller's environment; only the proxy variables and those that name certificate authorities are read. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  /** Default: the system's resolver. */
  readonly hostResolver?: Resolver
  /** From `makeSteps` of steps/list.ts; none where neither a secret nor a rule about requests is there. */
  readonly steps: readonly Step[]
  /** Default: TLS is ended nowhere, and what would need it is refused. */
  readonly ending?: Ending
  readonly settings?: Partial<GatewaySettings>
}

export interface Gateway extends AsyncDisposable {
  /** Begins to serve these sockets; they are the gateway's from here on. Throws Failure `gateway/bad-listener`. */
  adopt(born: readonly BornListener[]): void
  stats(): GatewayStats
  /** A request of the host's own, over the same dial as the cell's. */
  readonly ask: Ask
  /** Closes the listeners and every connection: the cell's network is gone, not open. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens no socket by itself. Throws Failure `gateway/bad-parent-proxy`. */
export function openGateway(input: GatewayInput): Gateway {
  const settings = { ...defaultSettings, ...input.settings }
  const closing = new AbortController()
  const signal = AbortSignal.any([closing.signal, input.signal])
  const ledger = makeLedger(input.emit, settings, () => closing.abort()) // without a journal nothing goes out
  const parents = readParents(input.hostEnv)
  const deadlines = makeDeadlines(everyMilliseconds(settings))
  const dialler = makeDialler({
    network: input.network,
    parents,
    resolver: input.hostResolver ?? systemResolver,
    secure: makeSecure(input.hostEnv),
    inTime: makeInTime(deadlines, settings.dialMilliseconds, signal),
  })
  const buffers = makeBuffers()
  const attention = makeAttention({ milliseconds: settings.attentionMilliseconds })
  const pool = makePool({ dialler, buffers, heard: attention.server, maxHeadBytes: settings.maxHeadBytes })
  const { steps } = input
  const context: GatewayContext = {
    enter,
    network: input.network,
    settings,
    names: makeNames(settings.synthetic.first, settings.synthetic.count),
    ledger,
    dialler,
    pool,
    steps,
    ending: input.ending,
    concerns: makeConcerns(steps),
    deadlines,
    buffers,
    attention,
    signal,
  }
  const listening = new Set<Server | DatagramSocket>()
  const connections = new Set<Socket>()
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= Promise.resolve().then(async () => {
      closing.abort()
      const ends = [...listening].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve())))
      for (const socket of connections) socket.destroy()
      pool.destroy()
      await Promise.all(ends)
    })
    return closed
  }
  signal.addEventListener('abort', () => void close())
  return {
    adopt(born) {
      for (const { listener, socket } of born) {
        if ((listener.kind === 'tcp') !== socket instanceof Server)
          throw new Failure('gateway/bad-listener', { kind: listener.kind, port: listener.port })
        listening.add(socket)
        if (socket instanceof Server) acceptFrom(context, socket, listener, connections)
        else serveDatagrams(context, socket)
      }
      if (signal.aborted) for (const { socket } of born) socket.close()
    },
    stats: () => ledger.stats(),
    ask: async (place, request) => (await import('./own-request.ts')).ownRequest(dialler, place, request),
    [Symbol.asyncDispose]: close,
  }
}

/** Bounds on time are kept to a quarter of the shortest one, or a second. */
function everyMilliseconds(settings: GatewaySettings): number {
  const { headMilliseconds, keepAliveMilliseconds, dialMilliseconds, idleMilliseconds, halfOpenMilliseconds } = settings
  return Math.max(
    10,
    Math.min(headMilliseconds, keepAliveMilliseconds, dialMilliseconds, idleMilliseconds, halfOpenMilliseconds, 4_000) / 4,
  )
}
