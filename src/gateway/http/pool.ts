// Gateway, http: connections to servers, kept for the next request to the same host and port. Each new one is judged at the dial.
import type { Agent, ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import type { CanonicalHost } from '../../model/policy.ts'
import type { Dialled, Dialler } from '../dial/dial.ts'
import type { Refusal, Target } from '../context.ts'

/** Why no connection could be had; what the cell is told is made of it. */
export class UpstreamError extends Error {
  readonly refusal: Refusal | undefined
  readonly code: string
  constructor(code: string, reason: string, refusal?: Refusal) {
    super(reason)
    this.name = 'UpstreamError'
    this.code = code
    this.refusal = refusal
  }
}

export interface Pool {
  /** `secure`: to servers over verified TLS, or as a route says. */
  readonly agent: (secure: boolean) => Agent
  /** Closes what is kept. */
  destroy(): void
}

/** One per session: connections are never shared with another cell. node:http is loaded by the first request: most runs never make one. */
export function makePool(dialler: Dialler): Pool {
  const made = new Map<boolean, Agent>()
  return {
    agent(secure) {
      const agent = made.get(secure) ?? makeAgent(dialler, secure)
      made.set(secure, agent)
      return agent
    },
    destroy() {
      for (const agent of made.values()) agent.destroy()
    },
  }
}

function makeAgent(dialler: Dialler, secure: boolean): Agent {
  const http = process.getBuiltinModule('node:http')
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxTotalSockets: 2_048, maxFreeSockets: 32, scheduling: 'lifo' })
  agent.createConnection = (options: ClientRequestArgs, done?: (error: Error | null, socket: Duplex) => void): undefined => {
    const target = { host: String(options.host) as CanonicalHost, port: Number(options.port) }
    void connect(dialler, target, secure).then((dialled) => {
      if (dialled.kind === 'open') return done?.(null, dialled.socket)
      const error =
        dialled.kind === 'refused'
          ? new UpstreamError(dialled.refusal.code, dialled.refusal.reason, dialled.refusal)
          : new UpstreamError(dialled.code, dialled.reason)
      return (done as ((error: Error) => void) | undefined)?.(error)
    })
    return undefined
  }
  return agent
}

async function connect(dialler: Dialler, target: Target, secure: boolean): Promise<Dialled> {
  if (!secure) return dialler.dial(target, 'request')
  const dialled = await dialler.dial(target, 'tunnel')
  return dialled.kind === 'open' && dialler.leaves(target) === 'tls' ? dialler.secure(dialled.socket, target, ['http/1.1']) : dialled
}
