// Policy: the hosts of a secret, the allows that it implies, and which of its bindings could never be kept. Asked by secret.ts, merge.ts and load.ts.
import { Failure } from '../errors/failure.ts'
import type { CanonicalHost, HostRule, Origin, Policy } from '../model/policy.ts'
import type { SecretHost, SecretRule } from '../model/secret.ts'
import type { Destination } from '../model/verdict.ts'
import { classifyAddress } from './addresses.ts'
import { hostLoopbackName, parseHostRule, whereOf } from './host-rule.ts'
import { judge, matches } from './judge.ts'
import { isShared } from './open-hosts.ts'
import { show } from './show.ts'

/** `HOST[:PORT]` or `*.HOST[:PORT]`; without a port 443. A star over names that strangers can have is refused (Failure `policy/bad-rule`, `policy/bad-secret`). */
export async function parseSecretHost(text: string, name: string, origin: Origin): Promise<SecretHost> {
  const { pattern, ports } = await parseHostRule(text, 'allow', origin)
  if (pattern.kind === 'subdomains' && isShared(pattern))
    throw new Failure('policy/bad-secret', {
      secret: show(name),
      reason: `anybody can have a name below ${pattern.suffix}, and would be sent the value; name the hosts that are needed`,
      where: whereOf(origin),
    })
  return { pattern, port: ports === 'all' || ports.length !== 1 ? 443 : (ports[0] ?? 443) }
}

/** Whether the value may go there at all. */
export function isBound(rule: Pick<SecretRule, 'hosts'>, { host, port }: Destination): boolean {
  return rule.hosts.some((bound) => bound.port === port && matches(bound.pattern, host))
}

/** As a user writes it: `api.github.com`, `*.example.org:8443`. */
export function secretHostText({ pattern, port }: SecretHost): string {
  const name = pattern.kind === 'host' ? pattern.host : `*.${pattern.suffix}`
  return port === 443 ? name : `${name}:${port}`
}

/**
 * The allows that secrets imply, as a route does: exactly their host, port, methods and paths. Where the policy speaks of the host itself, that
 * is what holds, so that a binding never widens a rule with methods or paths. A deny still beats them.
 */
export function rulesOfSecrets(secrets: readonly SecretRule[], written: readonly HostRule[]): readonly HostRule[] {
  return secrets.flatMap(({ name, hosts, methods, paths, origin }) =>
    hosts
      .filter((bound) => !written.some((rule) => rule.effect === 'allow' && speaksOf(rule, bound)))
      .map(({ pattern, port }): HostRule => ({
        effect: 'allow',
        pattern,
        ports: [port],
        ...(methods === undefined ? {} : { methods }),
        ...(paths === undefined ? {} : { paths }),
        reason: `the secret ${name} is for it`,
        origin,
      })),
  )
}

function speaksOf(rule: HostRule, { pattern, port }: SecretHost): boolean {
  if (rule.ports !== 'all' && !rule.ports.includes(port)) return false
  const name = pattern.kind === 'host' ? pattern.host : pattern.suffix
  return (
    matches(rule.pattern, name) || (rule.pattern.kind === 'subdomains' && rule.pattern.suffix === name && pattern.kind === 'subdomains')
  )
}

/** Refuses bindings that would send a value in clear text: port 80, or a route to plain HTTP, that does not end on this machine. */
export function refusePlainSecrets({ secrets, network }: Pick<Policy, 'secrets' | 'network'>): void {
  for (const { name, hosts, origin } of secrets) {
    for (const bound of hosts) {
      const reason = plainReason(bound, network)
      if (reason !== undefined) throw new Failure('policy/bad-secret', { secret: name, reason, where: whereOf(origin) })
    }
  }
}

function plainReason(bound: SecretHost, { routes }: Policy['network']): string | undefined {
  const { pattern, port } = bound
  if (pattern.kind === 'host' && pattern.host === hostLoopbackName) return undefined
  const led = routes.filter((route) => route.port === port && matches(pattern, route.host))
  const away = led.find(({ to }) => (to.scheme === 'http' || port === 80) && classifyAddress(to.address).kind !== 'loopback')
  if (away !== undefined) return `${away.host}:${port} is routed to ${away.to.address} in plain HTTP, where others could read it`
  if (port !== 80 || (pattern.kind === 'host' && led.length > 0)) return undefined
  return `${secretHostText(bound)} is plain HTTP, which others could read; bind it to port 443, or route the host to this machine`
}

/** A binding that some deny makes idle. */
export interface IdleBinding {
  readonly secret: SecretRule
  readonly place: string
  readonly reason: string
}

export function idleBindings({ secrets, network }: Pick<Policy, 'secrets' | 'network'>): readonly IdleBinding[] {
  return secrets.flatMap((secret) =>
    secret.hosts.flatMap(({ pattern, port }): readonly IdleBinding[] => {
      const host = pattern.kind === 'host' ? pattern.host : (`any.${pattern.suffix}` as CanonicalHost)
      const verdict = judge(network, { host, port })
      return verdict.effect === 'allow' ? [] : [{ secret, place: `${host}:${port}`, reason: verdict.reason }]
    }),
  )
}

/** Worth a note, no reason to stop. */
export function idleSecretNotes(policy: Pick<Policy, 'secrets' | 'network'>): readonly string[] {
  return idleBindings(policy).map(({ secret, place, reason }) => `the secret ${secret.name} is never put in for ${place}: ${reason}`)
}
