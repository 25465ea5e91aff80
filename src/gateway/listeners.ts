// Gateway: which sockets a cell needs, from the policy alone. Pure; the planner puts them into the plan, open.ts gets them back as BornListener.
import type { Listener } from '../model/plan.ts'
import type { Network } from './context.ts'

/** Where the resolver and the proxies for programs that insist are found inside the cell. */
export const insideAddress = '127.0.0.1'
export const insidePorts = { dns: 53, httpProxy: 3128, socksProxy: 1080 } as const

/**
 * DNS, both proxies, and one transparent listener for 80, 443 and every further port that an allow or a route names. A rule over all ports
 * (there is no flag for one) opens 80 and 443 only: a listener for each of 65,535 ports would be a cost without a user.
 */
export function listenersFor(network: Network): readonly Listener[] {
  const named = network.rules.flatMap((rule) => (rule.effect === 'allow' && rule.ports !== 'all' ? rule.ports : []))
  const ports = new Set([80, 443, ...named, ...network.routes.map((route) => route.port)])
  return [
    { kind: 'udp', address: insideAddress, port: insidePorts.dns, role: 'dns' },
    { kind: 'tcp', address: insideAddress, port: insidePorts.dns, role: 'dns' },
    { kind: 'tcp', address: insideAddress, port: insidePorts.httpProxy, role: 'http-proxy' },
    { kind: 'tcp', address: insideAddress, port: insidePorts.socksProxy, role: 'socks-proxy' },
    ...[...ports].sort((a, b) => a - b).map((port): Listener => ({ kind: 'tcp', address: '::', port, role: 'transparent' })),
  ]
}
