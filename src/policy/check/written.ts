// Policy check: the rules of a policy that somebody wrote, and how they are written again. Shared by the files of rules.
import type { HostPattern, HostRule, Policy } from '../../model/policy.ts'
import { isWritten } from '../open-hosts.ts'

/** Allows of a user, project or flag; not those that a route or a secret implies, which have rules of their own. */
export function writtenAllows({ network, secrets }: Policy): readonly HostRule[] {
  const implied = new Set([...network.routes, ...secrets].map(({ origin }) => origin))
  return network.rules.filter((rule) => isWritten(rule) && !implied.has(rule.origin))
}

/** `host`, `host:port` or `*.suffix`, as in a policy. */
export function placeText({ pattern, ports }: Pick<HostRule, 'pattern' | 'ports'>): string {
  const name = nameOf(pattern)
  return ports === 'all' || ports.length !== 1 ? name : `${name}:${ports[0]}`
}

export function nameOf(pattern: HostPattern): string {
  return pattern.kind === 'host' ? pattern.host : `*.${pattern.suffix}`
}

/** Whether it lets nothing be written: every method named is one that reads. */
export function readsOnly({ methods, graphql }: Pick<HostRule, 'methods' | 'graphql'>): boolean {
  return graphql === 'query' || (methods !== undefined && methods.every((method) => ['GET', 'HEAD', 'OPTIONS'].includes(method)))
}
