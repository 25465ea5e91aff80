// `anchorhold explain host`: the verdict on a host, or on one request to it. Split from explain.ts.
import { Failure } from '../errors/failure.ts'
import { makeSteps } from '../gateway/steps/list.ts'
import { meterGround } from '../gateway/meter/hosts.ts'
import { judgeEnding, type EndingVerdict } from '../gateway/ending.ts'
import { judgeTarget } from '../gateway/judging.ts'
import type { CanonicalHost, Policy } from '../model/policy.ts'
import type { Destination } from '../model/verdict.ts'
import type { HeldSecret, SecretRule } from '../model/secret.ts'
import { canonicalHost } from '../policy/host-name.ts'
import { isAboutRequests, judge, originText, ruleText } from '../policy/judge.ts'
import { judgeRequest, requestRules, type RequestRules } from '../policy/judge-request.ts'
import { parsePort } from '../policy/ports.ts'
import { placesText } from '../policy/secret.ts'
import { isBound } from '../policy/secret-hosts.ts'
import type { Explained } from './explain.ts'

export interface RequestFlags {
  readonly method?: string
  readonly path?: string
}

interface Asked {
  readonly host: CanonicalHost
  readonly ports: readonly number[]
  /** Set where one request is asked about. */
  readonly request?: { readonly method: string; readonly target: string }
}

/** `HOST[:PORT]` or an address `http(s)://HOST[:PORT]/PATH`. Without a port: both of the web's. Throws Failure `policy/bad-host` or `command/bad-request`. */
export function explainHosts(text: string, policy: Policy, { method, path }: RequestFlags): readonly Explained[] {
  const asked = askedOf(text, method, path)
  return asked.ports.map((port) => {
    const answer = explainHost(asked.host, port, policy)
    const rules = requestRules(policy.network, { host: asked.host, port })
    if (answer.verdict === 'deny' || asked.request === undefined) return rules === undefined ? answer : withRules(answer, rules)
    return explainRequest(answer, rules, asked.request)
  })
}

function explainHost(host: CanonicalHost, port: number, policy: Policy): Explained {
  const { effect, reason, remedy } = judge(policy.network, { host, port })
  const route = policy.network.routes.find((candidate) => candidate.host === host && candidate.port === port)
  const routed = route === undefined || effect === 'deny' ? '' : `; it is routed to ${route.to.address} port ${route.to.port}`
  const secrets = effect === 'deny' ? [] : policy.secrets.filter((secret) => isBound(secret, { host, port }))
  const bound = secrets.map((secret) => `; the secret ${secret.name} is put in there (${placesText(secret)})`).join('')
  const answer = {
    subject: `${host}:${port}`,
    verdict: effect,
    reason: `${reason}${routed}${bound}`,
    ...(remedy === undefined ? {} : { remedy }),
  }
  return effect === 'deny' || port === 80 ? answer : { ...answer, tls: endingOf(policy, { host, port }) }
}

/** A secret as far as its binding goes: which hosts must be read for it is known without its value. */
function unopened(rule: SecretRule): HeldSecret {
  return { rule, placeholder: '', current: async () => '', values: () => [] }
}

/** Whether TLS to an allowed host is ended: what the gateway itself asks for each connection. */
function endingOf(policy: Policy, target: Destination): EndingVerdict {
  const { network, secrets } = policy
  const judged = judgeTarget(network, target)
  const meter = { name: 'meter', request: () => ({ kind: 'pass' as const }), ...meterGround(policy, process.env) }
  return judgeEnding(
    { network, steps: makeSteps({ network, secrets: secrets.map(unopened), meter }) },
    target,
    judged.kind === 'allowed' ? judged.rules : [],
  )
}

/** A host that is allowed for certain requests only: says which, and how to ask about one. */
function withRules(answer: Explained, { allows, denies }: RequestRules): Explained {
  if (answer.verdict === 'deny') return answer
  const limits = (rules: RequestRules['allows'], effect: string): readonly string[] =>
    rules.filter(isAboutRequests).map((rule) => `${effect} ${ruleText(rule)} (${originText(rule.origin)})`)
  const all = [...limits(denies, 'denied:'), ...limits(allows, 'allowed:')].join('; ')
  return { ...answer, reason: `${answer.reason}. Requests are read and held to rules: ${all}. Ask about one with --method and --path` }
}

function explainRequest(answer: Explained, rules: RequestRules | undefined, request: { method: string; target: string }): Explained {
  const subject = `${request.method} ${answer.subject}${request.target}`
  if (rules === undefined) return { ...answer, subject }
  const verdict = judgeRequest(rules, request.method, request.target)
  if (verdict.kind === 'refuse') {
    const { reason, remedy } = verdict.refusal
    return { subject, verdict: 'deny', reason, ...(remedy === undefined ? {} : { remedy }) }
  }
  const condition = verdict.kind === 'graphql' ? ', where its body is nothing but GraphQL queries' : ''
  return { subject, verdict: 'allow', reason: `${ruleText(verdict.rule)} is allowed by ${originText(verdict.rule.origin)}${condition}` }
}

function askedOf(text: string, method: string | undefined, path: string | undefined): Asked {
  const address = /^(https?):\/\/([^/?]*)(.*)$/is.exec(text)
  const place = placeOf(address?.[2] ?? text)
  const scheme = address?.[1]?.toLowerCase()
  const ports = place.port !== undefined ? [place.port] : scheme === 'http' ? [80] : scheme === 'https' ? [443] : [443, 80]
  if (address === null && method === undefined && path === undefined) return { host: place.host, ports }
  const written = path ?? address?.[3] ?? '/'
  const target = written === '' || written.startsWith('?') ? `/${written}` : written
  const refuse = (reason: string): never => {
    throw new Failure('command/bad-request', { reason })
  }
  if (path !== undefined && address !== null) refuse('--path stands beside a host, not beside a whole address')
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(target)) refuse('a path starts with /, has no blank and no #, and is ASCII: escape the rest as %XX')
  if (method !== undefined && !/^[A-Z][A-Z-]*$/.test(method)) refuse('a method is written in capitals, for example POST')
  return { host: place.host, ports, request: { method: method ?? 'GET', target } }
}

function placeOf(text: string): { host: CanonicalHost; port: number | undefined } {
  const colon = text.lastIndexOf(':')
  const written = colon === -1 || text.includes('::') || text.endsWith(']') ? undefined : text.slice(colon + 1)
  const port = written === undefined ? undefined : parsePort(written)
  if (written !== undefined && port === undefined)
    throw new Failure('policy/bad-host', { host: text, reason: 'its port is not a number from 1 to 65535' })
  return { host: canonicalHost(written === undefined ? text : text.slice(0, colon)), port }
}
