// Policy: hosts whose TLS is never ended (`network.passThrough`), for clients that know one certificate only or show one of their own.
import { Failure } from '../errors/failure.ts'
import type { HostPattern, HostRule, Origin, PassRule, Policy } from '../model/policy.ts'
import { budgetText } from './budget.ts'
import { parseHostRule, whereOf } from './host-rule.ts'
import { isAboutRequests, matches, ruleText } from './judge.ts'
import { modelHosts } from './model-hosts.ts'
import { secretHostText } from './secret-hosts.ts'

/** One line: `HOST`, `HOST:PORT`, `*.HOST` or `*.HOST:PORT`; without a port every port. It allows nothing. Throws Failure `policy/bad-rule`. */
export async function parsePassThrough(text: string, origin: Origin): Promise<PassRule> {
  const { pattern, ports } = await parseHostRule(text, 'allow', origin)
  return { pattern, ports: text.includes(':') ? ports : 'all', origin }
}

/** As a user writes it. */
export function passText({ pattern, ports }: PassRule): string {
  const name = pattern.kind === 'host' ? pattern.host : `*.${pattern.suffix}`
  return ports === 'all' ? name : `${name}:${ports.join(',')}`
}

/**
 * What is passed through cannot be read: a line that something else of the policy needs to read is refused, with both named. `env`: the caller's.
 * Throws Failure `policy/pass-through`.
 */
export function refusePassContradictions(
  policy: Pick<Policy, 'network' | 'secrets' | 'budget' | 'env'>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const { network, secrets, budget } = policy
  for (const pass of network.passThrough ?? []) {
    const meets = (pattern: HostPattern, ports: HostRule['ports']): boolean =>
      overlap(pass.pattern, pattern) && sharePorts(pass.ports, ports)
    const refuse = (why: string): never => {
      throw new Failure('policy/pass-through', { where: whereOf(pass.origin), host: passText(pass), why })
    }
    for (const { name, hosts, origin } of secrets) {
      const bound = hosts.find(({ pattern, port }) => meets(pattern, [port]))
      if (bound !== undefined) refuse(`the secret ${name} is to be put in for ${secretHostText(bound)} (${whereOf(origin)})`)
    }
    for (const { host, port, to, origin } of network.routes)
      if (to.scheme === 'http' && meets({ kind: 'host', host }, [port]))
        refuse(`the route of ${host}:${port} leads to plain HTTP (${whereOf(origin)})`)
    const [limit] = budget ?? []
    const model = limit === undefined ? undefined : modelHosts(policy, env).find(({ host, port }) => meets({ kind: 'host', host }, [port]))
    if (limit !== undefined && model !== undefined)
      refuse(`the budget has to read what is asked of ${model.host}:${model.port}: ${budgetText(limit)} (${whereOf(limit.origin)})`)
    const rule = network.rules.find((each) => isAboutRequests(each) && meets(each.pattern, each.ports))
    if (rule !== undefined) refuse(`a rule is about certain requests to it: ${ruleText(rule)} (${whereOf(rule.origin)})`)
  }
}

/** Whether some name is meant by both. */
export function overlap(a: HostPattern, b: HostPattern): boolean {
  if (a.kind === 'host') return matches(b, a.host)
  if (b.kind === 'host') return matches(a, b.host)
  return a.suffix === b.suffix || matches(a, b.suffix) || matches(b, a.suffix)
}

/** Whether some port is meant by both. */
export function sharePorts(a: HostRule['ports'], b: HostRule['ports']): boolean {
  return a === 'all' || b === 'all' || a.some((port) => b.includes(port))
}
