// Policy: the judge. Pure; asked by the gateway about every name, connection and request, and by `anchorhold explain`.
import type { CanonicalHost, HostPattern, HostRule, Origin, Policy } from '../model/policy.ts'
import type { Destination, Verdict } from '../model/verdict.ts'
import { hostLoopbackName } from './host-rule.ts'
import { show } from './show.ts'

type Network = Policy['network']

/**
 * Whether the cell may reach this name at this port. Deny beats allow, whatever the order; what no rule allows is refused; an error while
 * judging is a deny. Never throws.
 */
export function judge(network: Network, destination: Destination): Verdict {
  try {
    return judgeDestination(network, destination)
  } catch (error) {
    return failed(error)
  }
}

/** Whether a name may be resolved: some port of it is allowed and not denied. Never throws. */
export function judgeName(network: Network, host: CanonicalHost): Verdict {
  try {
    const named = network.rules.filter((rule) => rule.effect === 'allow' && matches(rule.pattern, host))
    const ports = named.flatMap((rule) => (rule.ports === 'all' ? openPorts(network, host) : rule.ports))
    const verdicts = ports.map((port) => judgeDestination(network, { host, port }))
    const verdict = verdicts.find((each) => each.effect === 'allow') ?? verdicts[0] ?? judgeDestination(network, { host, port: 443 })
    // Which port is wanted is not known yet, and this one name has no usual one.
    return host === hostLoopbackName && verdict.code === 'not-listed'
      ? { ...verdict, remedy: `name its port: anchorhold run --allow ${host}:PORT …` }
      : verdict
  } catch (error) {
    return failed(error)
  }
}

/** Whether a pattern speaks of a name: the name itself, or for `*.suffix` any strict subdomain. Plain text comparison, no expressions. */
export function matches(pattern: HostPattern, host: CanonicalHost): boolean {
  if (pattern.kind === 'host') return pattern.host === host
  return host.length > pattern.suffix.length + 1 && host.endsWith(pattern.suffix) && host[host.length - pattern.suffix.length - 1] === '.'
}

/** Whether a rule is about certain requests, not about the host as a whole: only where the request can be read does it hold. */
export function isAboutRequests(rule: Pick<HostRule, 'methods' | 'paths' | 'graphql'>): boolean {
  return rule.methods !== undefined || rule.paths !== undefined || rule.graphql !== undefined
}

/** A rule as the user would write it: `api.example.org`, `*.example.org:8443`, `api.example.org (GET /a/**)`. */
export function ruleText(rule: Pick<HostRule, 'pattern' | 'ports' | 'effect' | 'methods' | 'paths' | 'graphql'>): string {
  if (!isAboutRequests(rule)) return placeText(rule)
  const { methods = [], paths = [], graphql } = rule
  const more = paths.length > 3 ? [`and ${paths.length - 3} more`] : []
  const parts = [methods.join(','), ...paths.slice(0, 3), ...more, graphql === undefined ? '' : 'GraphQL queries only']
  return `${placeText(rule)} (${parts.filter((part) => part !== '').join(' ')})`
}

function placeText(rule: Parameters<typeof ruleText>[0]): string {
  const name = rule.pattern.kind === 'host' ? rule.pattern.host : `*.${rule.pattern.suffix}`
  if (rule.ports === 'all' || ((rule.effect === 'allow' || isAboutRequests(rule)) && rule.ports.join() === '80,443')) return name
  return rule.ports.map((port) => `${name}:${port}`).join(' ')
}

/** Where a line comes from, in words: `/home/me/.config/anchorhold/policy.yaml:12`, the flag `--allow x`, preset claude. */
export function originText(origin: Origin): string {
  const source = show(origin.source, 300)
  if (origin.kind === 'preset') return `preset ${source}`
  if (origin.kind === 'built-in') return `anchorhold's own rules (${source})`
  if (origin.kind === 'flag') return `the flag ${source}`
  return origin.line === undefined ? source : `${source}:${origin.line}`
}

function judgeDestination(network: Network, { host, port }: Destination): Verdict {
  const named = network.rules.filter((rule) => matches(rule.pattern, host))
  const fitting = named.filter((rule) => rule.ports === 'all' || rule.ports.includes(port))
  const deny = fitting.find((rule) => rule.effect === 'deny' && !isAboutRequests(rule))
  if (deny !== undefined) return denied(deny, host, port)
  const allows = fitting.filter((rule) => rule.effect === 'allow')
  const allow = allows.find((rule) => !isAboutRequests(rule)) ?? allows[0]
  if (allow !== undefined) {
    const why = allow.reason === undefined ? '' : `: ${show(allow.reason, 200)}`
    return {
      effect: 'allow',
      code: 'allowed',
      reason: `${ruleText(allow)} is allowed by ${originText(allow.origin)}${why}`,
      rule: allow,
      origin: allow.origin,
    }
  }
  const target = usual(host, port) ? host : `${host}:${port}`
  const remedy = `anchorhold run --allow ${target} …`
  const other = named.find((rule) => rule.effect === 'allow')
  if (other === undefined) return { effect: 'deny', code: 'not-listed', reason: `no rule allows ${target}`, remedy }
  const reason = `${host} is allowed at port ${other.ports === 'all' ? 'any' : other.ports.join(' and ')} only, not at ${port} (${originText(other.origin)})`
  return { effect: 'deny', code: 'port', reason, rule: other, origin: other.origin, remedy: `anchorhold run --allow ${host}:${port} …` }
}

/** Whether the name alone, behind `--allow`, stands for this port. Without a dot it would be read as a preset. */
function usual(host: CanonicalHost, port: number): boolean {
  return (port === 80 || port === 443) && host.includes('.') && host !== hostLoopbackName
}

function denied(rule: HostRule, host: CanonicalHost, port: number): Verdict {
  const why = rule.reason === undefined ? '' : `: ${show(rule.reason, 200)}`
  const reason = `${host}:${port} is denied by the rule ${ruleText(rule)} from ${originText(rule.origin)}${why}`
  const remedy = liftRemedy(rule.origin)
  return { effect: 'deny', code: 'denied', reason, rule, origin: rule.origin, ...(remedy === undefined ? {} : { remedy }) }
}

/** A deny is lifted only where it was written: no allow and no flag outweighs it. */
function liftRemedy(origin: Origin): string | undefined {
  if (origin.kind === 'user' || origin.kind === 'project') return `take the deny out of ${originText(origin)}; no --allow outweighs it`
  return origin.kind === 'flag' ? `leave out ${show(origin.source, 300)}` : undefined
}

/** For an allow of every port: the first port that no deny names, and those that denies name. */
function openPorts(network: Network, host: CanonicalHost): readonly number[] {
  const denies = network.rules.filter((rule) => rule.effect === 'deny' && !isAboutRequests(rule) && matches(rule.pattern, host))
  const named = new Set(denies.flatMap((rule) => (rule.ports === 'all' ? [] : rule.ports)))
  for (let port = 443; port > 0; port--) if (!named.has(port)) return [port]
  return [443]
}

function failed(error: unknown): Verdict {
  const message = error instanceof Error ? error.message : String(error)
  return { effect: 'deny', code: 'error', reason: `judging failed, which counts as a deny: ${show(message, 200)}` }
}
