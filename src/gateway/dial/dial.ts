// Gateway, dial: resolve once, connect to exactly what was judged. Used by relay.ts (tunnels) and http/pool.ts (requests).
import type { Socket } from 'node:net'
import { lookup } from 'node:dns/promises'
import type { Network, Refusal, Target } from '../context.ts'
import { connectDirect, connectParent, DialError, directOptions, tunnelThrough, type OnRead } from './connect.ts'
import { parentFor, type Parent } from './parent.ts'
import { isFixed, resolve, routeOf, type Reach, type Resolver } from './resolve.ts'
import type { Secure } from './secure.ts'
import type { InTime, Stop } from './stop.ts'

export type Dialled =
  | { readonly kind: 'open'; readonly socket: Socket }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }

export interface Dialler {
  /** Resolves and judges, dials nothing. Never rejects. */
  reach(target: Target): Promise<Reach>
  /** Opens a paused connection; a tunnel's may be half-closed. `reach`: what was judged before for this very connection. `onRead`: used but where the company's proxy lies between. Never rejects. */
  dial(target: Target, purpose: Purpose, reach?: Reach, onRead?: OnRead): Promise<Dialled>
  /** As `dial` for a tunnel, and verified TLS to `target.host` in it; `alpn` is what is offered. Never rejects. */
  secure(target: Target, alpn: readonly string[], onRead?: OnRead): Promise<Dialled>
  /** How a request leaves after TLS was ended: 'plain' where the user's route says `http://ADDRESS`. */
  leaves(target: Target): 'tls' | 'plain'
  /** The company's proxy that a plain request to this target goes to, in absolute form. */
  parent(target: Target): Parent | undefined
}
export type Purpose = 'tunnel' | 'request'

export interface DiallerInput {
  readonly network: Network
  readonly parents: readonly Parent[]
  readonly resolver: Resolver
  readonly secure: Secure
  readonly inTime: InTime
}

/** The system's own resolver: what a program on the host would be told. */
export const systemResolver: Resolver = async (host) => (await lookup(host, { all: true, verbatim: true })).map((row) => row.address)

export function makeDialler(input: DiallerInput): Dialler {
  const { network, parents, resolver } = input
  const find = (target: Target, purpose: Purpose): Promise<Reach> => resolve(network, target, { resolver, parents, purpose })
  return {
    reach: (target) => find(target, 'tunnel'),
    parent: (target) => (isFixed(network, target) ? undefined : parentFor(parents, target, 'request')),
    leaves: (target) => (routeOf(network, target)?.to.scheme === 'http' ? 'plain' : 'tls'),
    secure: (target, alpn, onRead) =>
      answered(input, target, async (stop): Promise<Dialled> => {
        const found = await find(target, 'tunnel')
        if (found.kind === 'refused' || found.kind === 'failed') return found
        const over =
          found.kind === 'direct'
            ? directOptions(found.endpoints, { allowHalfOpen: true, onRead })
            : { socket: await tunnelThrough(found.parent, target, stop) }
        return { kind: 'open', socket: await input.secure(over, target, alpn, stop) }
      }),
    dial: (target, purpose, judged, onRead) =>
      answered(input, target, async (stop): Promise<Dialled> => {
        const found = judged ?? (await find(target, purpose))
        if (found.kind === 'refused' || found.kind === 'failed') return found
        const allowHalfOpen = purpose === 'tunnel'
        if (found.kind === 'direct') return { kind: 'open', socket: await connectDirect(found.endpoints, { allowHalfOpen, onRead }, stop) }
        return {
          kind: 'open',
          socket: await (purpose === 'tunnel' ? tunnelThrough(found.parent, target, stop) : connectParent(found.parent, stop, onRead)),
        }
      }),
  }
}

/** `work` with the dial's own bound on time; a DialError becomes an answer. */
async function answered<T>(
  input: DiallerInput,
  target: Target,
  work: (stop: Stop) => Promise<T>,
): Promise<T | { readonly kind: 'failed'; readonly code: string; readonly reason: string }> {
  try {
    return await input.inTime(work)
  } catch (error) {
    const code = error instanceof DialError ? error.code : 'failed'
    const detail = error instanceof DialError && (code === 'certificate' || code === 'tls') ? error.message : code
    return { kind: 'failed', code, reason: `${target.host}:${target.port} could not be reached (${detail})` }
  }
}
