// The allowed hosts and the secrets of a policy in words, presets by their name. Used by the banner and the dry run.
import type { HostRule, Policy } from '../model/policy.ts'
import { isAboutRequests, ruleText as inFull } from '../policy/judge.ts'
import { secretHostText } from '../policy/secret-hosts.ts'

/** "preset claude", "api.github.com", "*.example.org:5432", "a.example.org (GET /v1/**)"; each once, in the policy's order. */
export function hostsInWords(network: Policy['network']): readonly string[] {
  const allowed = network.rules.filter((rule) => rule.effect === 'allow')
  return [
    ...new Set([
      ...allowed.map((rule) => (rule.origin.kind === 'preset' ? `preset ${rule.origin.source}` : ruleText(rule))),
      ...network.routes.map(routeText),
    ]),
  ]
}

function ruleText(rule: HostRule): string {
  if (isAboutRequests(rule)) return inFull(rule)
  const name = rule.pattern.kind === 'host' ? rule.pattern.host : `*.${rule.pattern.suffix}`
  const usual = rule.ports === 'all' || rule.ports.every((port) => port === 80 || port === 443)
  return usual ? name : `${name}:${rule.ports.join(',')}`
}

function routeText(route: Policy['network']['routes'][number]): string {
  return `${route.host}:${route.port} → ${route.to.scheme === 'http' ? 'http://' : ''}${route.to.address}:${route.to.port}`
}

/** "TOKEN for api.github.com, *.example.org:8443". */
export function secretsInWords(secrets: Policy['secrets']): readonly string[] {
  return secrets.map(({ name, hosts }) => `${name} for ${hosts.map(secretHostText).join(' and ')}`)
}
