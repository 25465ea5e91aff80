// Proof: the user's policy with canaries in it: made-up values for every secret and passed variable, and names of the proof's own, which lead to
// its listeners. All else is what `run` would take. Pure.
import { canonicalHost } from '../policy/host-name.ts'
import type { HostRule, Limits, Origin, Policy, Route } from '../model/policy.ts'
import type { SecretRule } from '../model/secret.ts'

const origin: Origin = { kind: 'flag', source: 'anchorhold prove' }

/**
 * What the policy says of a name of the proof: `allowed` as a whole at port 80; `denied` by no rule's mention; `limited` to GET at port 80;
 * `bound` to a secret of the proof's at port 443, for GET and in a header
 * alone; `closed` to GET at port 443, where its server
 * cannot be verified; `open` as a whole at port 443, so that its TLS is passed on unread.
 */
export type NameKind = 'allowed' | 'denied' | 'limited' | 'bound' | 'closed' | 'open'

export interface ProofName {
  readonly kind: NameKind
  readonly host: string
  /** Of its listener on loopback. */
  readonly port: number
}

/** The variable that holds a placeholder inside; outside, and in the source, the proof's own secret. */
export const tokenVariable = 'ANCHORHOLD_PROVE_TOKEN'

export interface CanaryInput {
  readonly names: readonly ProofName[]
  /** The value of the proof's own secret. */
  readonly secret: string
  /** Like a key, and nobody's. */
  readonly madeUp: () => string
  /** Smaller limits than the user's, where a probe is about limits. */
  readonly limits?: Limits
  /** The weakened cell: what a probe tries is allowed. */
  readonly weakened?: boolean
}

export interface CanaryPolicy {
  readonly policy: Policy
  /** For the sources of the secrets: variables with made-up values. */
  readonly env: Readonly<Record<string, string>>
}

/** Variables that hold no secret and that programs need as they are. */
const plainNames = /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LC_\w+|JAVA_HOME|COLORTERM)$/

export function withCanaries(policy: Policy, input: CanaryInput): CanaryPolicy {
  const { names, madeUp, limits, weakened = false } = input
  const variable = (at: number): string => `ANCHORHOLD_PROVE_SECRET_${at}`
  const own = ownSecret(input)
  return {
    policy: {
      ...policy,
      network: {
        ...policy.network,
        rules: [...policy.network.rules, ...names.flatMap((name) => ruleFor(name, weakened))],
        routes: [...policy.network.routes, ...names.map(routeFor)],
      },
      secrets: [...policy.secrets.map((rule, at): SecretRule => ({ ...rule, from: { kind: 'env', variable: variable(at) } })), ...own],
      env: policy.env.map((rule) => (rule.value === undefined && !plainNames.test(rule.name) ? { ...rule, value: madeUp() } : rule)),
      limits: limits === undefined ? policy.limits : { ...policy.limits, ...limits },
    },
    env: {
      ...Object.fromEntries(policy.secrets.map((_rule, at) => [variable(at), madeUp()])),
      ...(own.length === 0 ? {} : { [`${tokenVariable}_VALUE`]: input.secret }),
    },
  }
}

const portOf: Readonly<Record<NameKind, number>> = { allowed: 80, denied: 80, limited: 80, bound: 443, closed: 443, open: 443 }

function ruleFor({ kind, host }: ProofName, weakened: boolean): readonly HostRule[] {
  if (kind === 'denied' && !weakened) return []
  const methods = (kind === 'limited' || kind === 'closed' || kind === 'bound') && !weakened ? { methods: ['GET'] } : {}
  return [{ effect: 'allow', pattern: { kind: 'host', host: canonicalHost(host) }, ports: [portOf[kind]], ...methods, origin }]
}

function routeFor({ kind, host, port }: ProofName): Route {
  const to = { address: '127.0.0.1', port, scheme: kind === 'bound' ? ('http' as const) : ('tcp' as const) }
  return { host: canonicalHost(host), port: portOf[kind], to, origin }
}

function ownSecret({ names, weakened = false }: CanaryInput): readonly SecretRule[] {
  const bound = names.filter(({ kind }) => kind === 'bound')
  if (bound.length === 0) return []
  return [
    {
      name: tokenVariable,
      from: { kind: 'env', variable: `${tokenVariable}_VALUE` },
      hosts: bound.map(({ host }) => ({ pattern: { kind: 'host', host: canonicalHost(host) }, port: 443 })),
      where: weakened ? ['header', 'basic', 'query', 'body'] : ['header'],
      ...(weakened ? { pass: ['x-api-key'] } : { methods: ['GET'] }),
      origin,
    },
  ]
}
