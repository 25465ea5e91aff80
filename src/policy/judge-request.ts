// Policy: the judge of one request, by method and path, behind the judge of hosts. Pure; asked by the gateway's step and by `explain`.
import type { HostRule, Policy } from '../model/policy.ts'
import type { Destination } from '../model/verdict.ts'
import { isAboutRequests, matches, originText, ruleText } from './judge.ts'
import { patternAllows, patternDenies } from './path-pattern.ts'
import { oddInPath, splitTarget } from './request-path.ts'
import { show } from './show.ts'

export interface RequestRefusal {
  /** 'method', 'path', 'odd-path', 'denied', 'method-override', 'graphql', or 'not-listed' where no rule allows the host at all. */
  readonly code: string
  /** Without control characters. */
  readonly reason: string
  readonly remedy?: string
}

export type RequestVerdict =
  | { readonly kind: 'allow'; readonly rule: HostRule }
  /** Allowed if its body is nothing but GraphQL queries (a POST without a query string). */
  | { readonly kind: 'graphql'; readonly rule: HostRule }
  | { readonly kind: 'refuse'; readonly refusal: RequestRefusal }

/** What the rules say of requests to one host and port. Undefined: nothing, it is allowed or refused as a whole, and need not be read. */
export interface RequestRules {
  readonly allows: readonly HostRule[]
  readonly denies: readonly HostRule[]
}

/** The rules that make requests to this place be read. The same for the whole session. */
export function requestRules(network: Policy['network'], { host, port }: Destination): RequestRules | undefined {
  const rules = network.rules.filter((rule) => matches(rule.pattern, host) && (rule.ports === 'all' || rule.ports.includes(port)))
  const denies = rules.filter((rule) => rule.effect === 'deny' && isAboutRequests(rule))
  const allows = rules.filter((rule) => rule.effect === 'allow')
  const whole = allows.length === 0 || allows.some((rule) => !isAboutRequests(rule))
  return whole && denies.length === 0 && allows.every((rule) => rule.graphql === undefined) ? undefined : { allows, denies }
}

/** `target`: origin form with the query, as the server would receive it. Deny beats allow, whatever the order. Never throws. */
export function judgeRequest({ allows, denies }: RequestRules, method: string, target: string): RequestVerdict {
  const { path, query } = splitTarget(target)
  const odd = oddInPath(path)
  const oddPath = (rule: HostRule): RequestVerdict =>
    refuse(
      'odd-path',
      `the path has ${odd ?? ''}; ${ruleText(rule)} (${originText(rule.origin)}) is held to paths in their one form only`,
      {
        remedy: 'ask for the path in its plain form: no dot segments, no empty segments, nothing escaped that need not be',
      },
    )
  for (const rule of denies.filter(({ methods }) => methods === undefined || methods.includes(method))) {
    if (rule.paths !== undefined && odd !== undefined) return oddPath(rule)
    if (rule.paths === undefined || rule.paths.some((pattern) => patternDenies(pattern, path))) return denied(rule)
  }
  const byMethod = allows.filter((rule) => rule.methods === undefined || rule.methods.includes(method))
  const limited = allows.find((rule) => rule.methods !== undefined) ?? denies.find((rule) => rule.methods !== undefined)
  if (limited !== undefined && overridesMethod(query))
    return refuse('method-override', 'the query asks the server to take the request for one of another method', {})
  const byPath = byMethod.find((rule) => rule.paths !== undefined)
  if (odd !== undefined && byPath !== undefined && byMethod.every((rule) => rule.paths !== undefined)) return oddPath(byPath)
  const graphql = allows.find((rule) => rule.graphql !== undefined)
  if (odd !== undefined && graphql !== undefined) {
    // It may be the GraphQL path in another spelling: only what carries no operation there passes, and its body is looked at.
    if (byMethod.length === 0 || !['GET', 'HEAD'].includes(method) || namesOperation(query)) return oddPath(graphql)
    return { kind: 'graphql', rule: byMethod.find(({ paths }) => paths === undefined) ?? graphql }
  }
  const claim = allows.find((rule) => rule.graphql !== undefined && (rule.paths ?? ['/**']).some((pattern) => patternDenies(pattern, path)))
  if (claim !== undefined) return judgeGraphql(claim, byMethod, method, target)
  if (byMethod.length === 0) return refuseMethod(allows, method)
  const rule = byMethod.find(({ paths }) => paths === undefined || paths.some((pattern) => patternAllows(pattern, target)))
  return rule === undefined ? refusePath(byMethod, method, target) : { kind: 'allow', rule }
}

/** A path for GraphQL is that for every rule: what could carry a query in another way than a POST's body is refused. */
function judgeGraphql(claim: HostRule, byMethod: readonly HostRule[], method: string, target: string): RequestVerdict {
  const rule = byMethod.find(({ paths }) => paths === undefined || paths.some((pattern) => patternAllows(pattern, target)))
  const remedy = { remedy: `send a query by POST, or change ${ruleText(claim)} (${originText(claim.origin)})` }
  if (splitTarget(target).query !== undefined)
    return refuse('graphql', 'a GraphQL path is asked without a query string: some servers would take the operation from there', remedy)
  if (method === 'POST' && rule !== undefined) return { kind: 'graphql', rule: claim }
  if (rule !== undefined && ['GET', 'HEAD', 'OPTIONS'].includes(method)) return { kind: 'graphql', rule: claim }
  return refuse('graphql', `${ruleText(claim)} allows GraphQL queries by POST alone`, remedy)
}

function denied(rule: HostRule): RequestVerdict {
  const why = rule.reason === undefined ? '' : `: ${show(rule.reason, 200)}`
  const remedy = rule.origin.kind === 'preset' ? {} : { remedy: `take the deny out of ${originText(rule.origin)}; no --allow outweighs it` }
  return refuse('denied', `it is denied by the rule ${ruleText(rule)} from ${originText(rule.origin)}${why}`, remedy)
}

function refuseMethod(allows: readonly HostRule[], method: string): RequestVerdict {
  const [first] = allows
  if (first === undefined) return refuse('not-listed', 'no rule allows it', {})
  const methods = [...new Set(allows.flatMap((rule) => rule.methods ?? []))]
  return refuse(
    'method',
    `${shownMethod(method)} is not among the methods that are allowed there (${methods.join(', ')}): ${quoted(allows)}`,
    widen(first, `methods: [${[...methods, shownMethod(method)].join(', ')}]`),
  )
}

function refusePath(byMethod: readonly HostRule[], method: string, target: string): RequestVerdict {
  const shown = shownPath(target)
  const first = byMethod.find((rule) => rule.graphql === undefined) ?? byMethod[0]
  const reason = `no rule allows ${shownMethod(method)} ${shown === undefined ? 'this path' : shown}: ${quoted(byMethod)}`
  return refuse('path', reason, first === undefined ? {} : widen(first, shown === undefined ? 'a path for it' : `the path ${shown}`))
}

function refuse(code: string, reason: string, more: { readonly remedy?: string }): RequestVerdict {
  return { kind: 'refuse', refusal: { code, reason, ...more } }
}

function quoted(rules: readonly HostRule[]): string {
  const shown = rules.slice(0, 3).map((rule) => `${ruleText(rule)} (${originText(rule.origin)})`)
  return shown.join(', ') + (rules.length > 3 ? `, and ${rules.length - 3} more` : '')
}

function widen({ origin, pattern, ports, graphql }: HostRule, what: string): { readonly remedy: string } {
  const host = pattern.kind === 'host' ? pattern.host : 'HOST'
  const port = ports === 'all' || ports.includes(443) || ports.includes(80) ? '' : `:${ports[0]}`
  const whole = `allow the host as a whole: anchorhold run --allow ${host}${port} …`
  const inFile = (origin.kind === 'user' || origin.kind === 'project') && graphql === undefined
  return { remedy: inFile ? `add ${what} to the rule in ${originText(origin)}, or ${whole}` : whole }
}

/** The cell's own words stand in a reason only where they are plain: nothing that a shell, a terminal or a reader takes for something else. */
function shownMethod(method: string): string {
  return /^[A-Z-]{1,20}$/.test(method) ? method : 'this method'
}

function shownPath(target: string): string | undefined {
  const { path } = splitTarget(target)
  return /^[A-Za-z0-9/._~@:+,=%-]{1,120}$/.test(path) ? path : undefined
}

/** Parameters with which frameworks and gateways let a request name another method; the header fields for it never pass. */
const overrides =
  /^(?:_method|_httpmethod|httpmethod|\$httpmethod|x-http-method|x-http-method-override|x-method-override|\$httpheaders)(?:\[|$)/i
/** Parameters from which a GraphQL server takes an operation. */
const operations = /^(?:query|mutation|operationname|variables|extensions|id|documentid|doc_id|hash)(?:\[|$)/i

function overridesMethod(query: string | undefined): boolean {
  return names(query).some((name) => overrides.test(name))
}

function namesOperation(query: string | undefined): boolean {
  return names(query).some((name) => operations.test(name))
}

function names(query: string | undefined): readonly string[] {
  return (query ?? '').split(/[&;?]/).map((parameter) => {
    const [name = ''] = parameter.split('=')
    try {
      return decodeURIComponent(name.replaceAll('+', ' ')).trim()
    } catch (error) {
      if (error instanceof URIError) return '' // no server makes a name of it
      throw error
    }
  })
}
