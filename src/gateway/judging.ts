// Gateway: the judge's answer as the phases use it: a target and the rules that allow it, or a refusal. Between accept, the proxies and the dial.
import { isAboutRequests, judge, matches, originText, ruleText } from '../policy/judge.ts'
import { tryCanonicalHost } from '../policy/host-name.ts'
import { parsePort } from '../policy/ports.ts'
import type { HostRule } from '../model/policy.ts'
import type { Network, Refusal, Target } from './context.ts'
import type { Names } from './names/table.ts'
import { printable } from './printable.ts'

export type Judged =
  /** `rules`: every allow of the target, and the denies that are about certain requests to it. */
  | { readonly kind: 'allowed'; readonly target: Target; readonly rules: readonly HostRule[]; readonly rule: string }
  | { readonly kind: 'refused'; readonly host: string; readonly port: number; readonly refusal: Refusal }

/** Answers of the judge, which are the same for the whole session; for each network of its own, and bounded. */
const known = new WeakMap<Network, Map<string, Judged>>()
const remembered = 1_024

/** A name and port that are already canonical. Never throws. */
export function judgeTarget(network: Network, target: Target): Judged {
  const answers = known.get(network) ?? new Map<string, Judged>()
  const key = `${target.host}:${target.port}`
  const before = answers.get(key)
  if (before !== undefined) return before
  const judged = judgeNew(network, target)
  if (answers.size < remembered) answers.set(key, judged)
  known.set(network, answers)
  return judged
}

function judgeNew(network: Network, target: Target): Judged {
  const verdict = judge(network, target)
  const { code, reason, remedy } = verdict
  const refusal = { code, reason, ...(remedy === undefined ? {} : { remedy }) }
  if (verdict.effect !== 'allow' || verdict.rule === undefined) return { kind: 'refused', ...target, refusal }
  const rules = network.rules.filter(
    (rule) =>
      (rule.effect === 'allow' || isAboutRequests(rule)) &&
      matches(rule.pattern, target.host) &&
      (rule.ports === 'all' || rule.ports.includes(target.port)),
  )
  return { kind: 'allowed', target, rules, rule: `${ruleText(verdict.rule)} from ${originText(verdict.rule.origin)}` }
}

/** A host as some program wrote it, and a port. An address is a name only when this session gave it out for one. */
export function judgeText(network: Network, names: Names, host: string, port: number): Judged {
  const known = names.nameOf(host)
  if (known !== undefined) return judgeTarget(network, { host: known, port })
  const name = tryCanonicalHost(host)
  if (name.ok) return judgeTarget(network, { host: name.host, port })
  return { kind: 'refused', host: printable(host), port, refusal: { code: name.code, reason: name.reason } }
}

/** `HOST:PORT`, both in their only spelling; undefined otherwise. IPv6 in brackets comes back with its brackets, so that it is refused as an address. */
export function splitAuthority(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text)
  if (parts === null || parts[1] === undefined || parts[1] === '') return undefined
  if (parts[2] === undefined) return { host: parts[1], port: undefined }
  const port = parsePort(parts[2])
  return port === undefined ? undefined : { host: parts[1], port }
}

/** Whether some rule allows the target as a whole and none denies certain requests to it: only then may bytes pass that are not read. */
export function unlimited(rules: readonly HostRule[]): boolean {
  return (
    rules.some((rule) => rule.effect === 'allow' && !isAboutRequests(rule)) &&
    rules.every((rule) => rule.effect === 'allow' && rule.graphql === undefined)
  )
}

/** Where TLS has to be ended and this session has no authority: never passed on unread. */
export function unread({ host, port }: Target, why: string): Refusal {
  return { code: 'needs-reading', reason: `what passes to ${host}:${port} has to be read (${why}), and this session cannot end its TLS` }
}

/** Why a rule with methods or paths keeps a tunnel closed. */
export function limitedRefusal(target: Target): Refusal {
  return {
    code: 'needs-reading',
    reason: `${target.host}:${target.port} is allowed for certain methods or paths only, and what passes encrypted or raw cannot be read to hold it to them`,
    remedy: `allow the host as a whole: anchorhold run --allow ${target.port === 443 || target.port === 80 ? target.host : `${target.host}:${target.port}`} …`,
  }
}
