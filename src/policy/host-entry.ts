// Policy: one entry of `network.allow` or `network.deny` with methods, paths and denies becomes rules. Asked by layer-of-file.ts and presets.ts.
import { Failure } from '../errors/failure.ts'
import type { HostRule, Origin } from '../model/policy.ts'
import { parseHostRule, whereOf } from './host-rule.ts'
import { oddInPattern } from './path-pattern.ts'
import { show } from './show.ts'

/** What an entry says beside the host, as written. */
export interface RequestsEntry {
  readonly methods?: readonly string[] | undefined
  readonly paths?: readonly string[] | undefined
  readonly graphql?: 'query' | undefined
  readonly deny?:
    | readonly (string | { readonly methods?: readonly string[] | undefined; readonly paths?: readonly string[] | undefined })[]
    | undefined
  readonly reason?: string | undefined
}

/**
 * The rule of one entry, then those of its `deny`: they hold for this host and port whatever else allows it. Throws Failure `policy/bad-rule`
 * or `policy/bad-requests`.
 */
export async function parseHostEntry(
  host: string,
  entry: RequestsEntry,
  effect: HostRule['effect'],
  origin: Origin,
): Promise<readonly HostRule[]> {
  const refuse = (what: string, reason: string): never => {
    throw new Failure('policy/bad-requests', { what: show(what), reason, where: whereOf(origin) })
  }
  const rule: HostRule = { ...(await parseHostRule(host, effect, origin, entry.reason)), ...limitsOf(entry, effect, refuse) }
  const denies = (entry.deny ?? []).map((written): HostRule => {
    const limits = limitsOf(typeof written === 'string' ? { paths: [written] } : written, 'deny', refuse)
    if (Object.keys(limits).length === 0) return refuse('deny', 'an entry of deny names methods, paths or both')
    const { pattern, ports } = rule
    return { effect: 'deny', pattern, ports, ...limits, ...(entry.reason === undefined ? {} : { reason: entry.reason }), origin }
  })
  return [rule, ...denies]
}

type Refuse = (what: string, reason: string) => never

function limitsOf(
  { methods, paths, graphql }: RequestsEntry,
  effect: HostRule['effect'],
  refuse: Refuse,
): Pick<HostRule, 'methods' | 'paths' | 'graphql'> {
  if (methods?.length === 0) refuse('methods: []', 'an empty list allows nothing; leave the key out for every method')
  if (paths?.length === 0) refuse('paths: []', 'an empty list allows nothing; leave the key out for every path')
  for (const method of methods ?? []) {
    const odd = oddInMethod(method)
    if (odd !== undefined) refuse(method, odd)
  }
  for (const pattern of paths ?? []) {
    const odd = oddInPattern(pattern, effect)
    if (odd !== undefined) refuse(pattern, odd)
  }
  if (graphql === undefined) return { ...(methods === undefined ? {} : { methods }), ...(paths === undefined ? {} : { paths }) }
  if (paths === undefined) return refuse('graphql', 'it needs paths: what is sent there must be GraphQL, and nothing else is')
  if (paths.some((pattern) => pattern.includes('?'))) return refuse('graphql', 'its paths have no query')
  const wrong = methods?.find((method) => method !== 'POST')
  if (wrong !== undefined) return refuse(wrong, 'GraphQL queries go by POST alone')
  return { methods: ['POST'], paths, graphql }
}

/** Why this is no method that a rule can name, in words. */
export function oddInMethod(method: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z-]{0,31}$/.test(method)) return 'it is not a method'
  if (method !== method.toUpperCase()) return `methods are case-sensitive: write ${method.toUpperCase()}`
  return ['CONNECT', 'TRACE', 'TRACK'].includes(method) ? 'the gateway passes no such request on' : undefined
}
