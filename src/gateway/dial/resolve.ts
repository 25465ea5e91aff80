// Gateway, dial: from a judged name to the addresses that may be dialled, resolved exactly once. connect.ts dials them and nothing else.
import { networkInterfaces } from 'node:os'
import { hostLoopbackName } from '../../policy/host-rule.ts'
import { matches } from '../../policy/judge.ts'
import type { Route } from '../../model/policy.ts'
import type { Target, Network, Refusal } from '../context.ts'
import { parentFor, type Parent } from './parent.ts'
import { vetAddresses } from './vet.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export type Reach =
  | { readonly kind: 'direct'; readonly endpoints: readonly Endpoint[] }
  /** Through the company's proxy, by name: that proxy resolves (docs/limitations.md). */
  | { readonly kind: 'parent'; readonly parent: Parent }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }

/** All addresses of a canonical name, or a rejection with a `code`. */
export type Resolver = (host: string) => Promise<readonly string[]>

/** Whether the policy itself says where this target is, so that neither DNS nor the company's proxy is asked. */
export function isFixed(network: Network, target: Target): boolean {
  return target.host === hostLoopbackName || routeOf(network, target) !== undefined
}

/** Where the user's own policy or flags say that the target is. */
export function routeOf(network: Network, { host, port }: Target): Route | undefined {
  return network.routes.find((route) => route.host === host && route.port === port)
}

/** Never rejects. For a tunnel HTTPS_PROXY speaks, for a plain request HTTP_PROXY. */
export async function resolve(
  network: Network,
  target: Target,
  how: { readonly resolver: Resolver; readonly parents: readonly Parent[]; readonly purpose: Parent['use'] },
): Promise<Reach> {
  const { host, port } = target
  const route = routeOf(network, target)
  if (route !== undefined) return { kind: 'direct', endpoints: [{ address: route.to.address, port: route.to.port }] }
  if (host === hostLoopbackName)
    return {
      kind: 'direct',
      endpoints: [
        { address: '127.0.0.1', port },
        { address: '::1', port },
      ],
    }
  const parent = parentFor(how.parents, target, how.purpose)
  if (parent !== undefined) return { kind: 'parent', parent }
  const addresses = await look(how.resolver, host)
  if (typeof addresses === 'string') return { kind: 'failed', code: 'no-address', reason: `${host} could not be resolved (${addresses})` }
  if (addresses.length === 0) return { kind: 'failed', code: 'no-address', reason: `${host} has no address` }
  const refusal = vetAddresses(host, addresses, ownAddresses(), mayBePrivate(network, target))
  return refusal === undefined
    ? { kind: 'direct', endpoints: addresses.slice(0, 8).map((address) => ({ address, port })) }
    : { kind: 'refused', refusal }
}

/** Only for what a rule of that kind itself allows: a wider rule beside it changes nothing. */
function mayBePrivate(network: Network, { host, port }: Target): boolean {
  return network.rules.some(
    (rule) =>
      rule.mayBePrivate === true &&
      rule.effect === 'allow' &&
      matches(rule.pattern, host) &&
      (rule.ports === 'all' || rule.ports.includes(port)),
  )
}

async function look(resolver: Resolver, host: string): Promise<readonly string[] | string> {
  try {
    return await resolver(host)
  } catch (error) {
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed'
  }
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((rows) => rows?.map((row) => row.address) ?? []))
}
