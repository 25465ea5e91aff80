// Gateway, dial: resolve once, connect to exactly what was judged. Used by relay.ts (tunnels) and http/pool.ts (requests).
import type { Socket } from 'node:net'
import { lookup } from 'node:dns/promises'
import type { Network, Refusal, Target } from '../context.ts'
import { connectDirect, connectParent, DialError, tunnelThrough } from './connect.ts'
import { parentFor, type Parent } from './parent.ts'
import { isFixed, resolve, type Reach, type Resolver } from './resolve.ts'

export type Dialled =
  | { readonly kind: 'open'; readonly socket: Socket }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }

export interface Dialler {
  /** Resolves and judges, dials nothing. Never rejects. */
  reach(target: Target): Promise<Reach>
  /** Opens a paused connection; a tunnel's may be half-closed. `reach`: what was judged before for this very connection. Never rejects. */
  dial(target: Target, purpose: Purpose, reach?: Reach): Promise<Dialled>
  /** The company's proxy that a plain request to this target goes to, in absolute form. */
  parent(target: Target): Parent | undefined
}
export type Purpose = 'tunnel' | 'request'

export interface DiallerInput {
  readonly network: Network
  readonly parents: readonly Parent[]
  readonly resolver: Resolver
  readonly milliseconds: number
  readonly signal: AbortSignal
}

/** The system's own resolver: what a program on the host would be told. */
export const systemResolver: Resolver = async (host) => (await lookup(host, { all: true, verbatim: true })).map((row) => row.address)

export function makeDialler(input: DiallerInput): Dialler {
  const { network, parents, resolver, milliseconds } = input
  const find = (target: Target, purpose: Purpose): Promise<Reach> => resolve(network, target, { resolver, parents, purpose })
  return {
    reach: (target) => find(target, 'tunnel'),
    parent: (target) => (isFixed(network, target) ? undefined : parentFor(parents, target, 'request')),
    async dial(target, purpose, judged) {
      const stop = new AbortController()
      const onStop = (): void => stop.abort()
      const timer = setTimeout(onStop, milliseconds)
      input.signal.addEventListener('abort', onStop)
      const { signal } = stop
      if (input.signal.aborted) stop.abort()
      try {
        const found = judged ?? (await find(target, purpose))
        if (found.kind === 'refused' || found.kind === 'failed') return found
        if (found.kind === 'direct') return { kind: 'open', socket: await connectDirect(found.endpoints, purpose === 'tunnel', signal) }
        return {
          kind: 'open',
          socket: await (purpose === 'tunnel' ? tunnelThrough(found.parent, target, signal) : connectParent(found.parent, signal)),
        }
      } catch (error) {
        const code = error instanceof DialError ? error.code : 'failed'
        return { kind: 'failed', code, reason: `${target.host}:${target.port} could not be reached (${code})` }
      } finally {
        clearTimeout(timer)
        input.signal.removeEventListener('abort', onStop)
      }
    },
  }
}
