// Proof: the user's policy with canaries in it: made-up values for every secret and passed variable, one more allowed name, which leads to a
// listener of ours. All else is what `run` would take. Pure.
import { canonicalHost } from '../policy/host-name.ts'
import type { HostRule, Origin, Policy, Route } from '../model/policy.ts'

const origin: Origin = { kind: 'flag', source: 'anchorhold prove' }

export interface CanaryNames {
  /** Led to its listener, and allowed. */
  readonly allowed: { readonly host: string; readonly port: number }
  /** Led to the probes' listeners and not allowed, but in a weakened cell. */
  readonly denied: readonly { readonly host: string; readonly port: number }[]
  /** Led to the probes' listeners, and allowed for GET alone; for everything in a weakened cell. */
  readonly limited: readonly { readonly host: string; readonly port: number }[]
  readonly allowDenied: boolean
}

/** Variables that hold no secret and that programs need as they are. */
const plainNames = /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LC_\w+|JAVA_HOME|COLORTERM)$/

export interface CanaryPolicy {
  readonly policy: Policy
  /** For the sources of the secrets: variables with made-up values. */
  readonly env: Readonly<Record<string, string>>
}

export function withCanaries(policy: Policy, names: CanaryNames, madeUp: (name: string) => string): CanaryPolicy {
  const opened = [names.allowed, ...(names.allowDenied ? names.denied : [])]
  const limited = names.limited.map((one) => ({ ...one, methods: names.allowDenied ? undefined : ['GET'] }))
  const rules = [...opened.map((one) => ({ ...one, methods: undefined })), ...limited].map(({ host, methods }): HostRule => ({
    effect: 'allow',
    pattern: { kind: 'host', host: canonicalHost(host) },
    ports: [80],
    ...(methods === undefined ? {} : { methods }),
    origin,
  }))
  const routes: readonly Route[] = [names.allowed, ...names.denied, ...names.limited].map(({ host, port }) => ({
    host: canonicalHost(host),
    port: 80,
    to: { address: '127.0.0.1', port, scheme: 'tcp' },
    origin,
  }))
  const variable = (at: number): string => `ANCHORHOLD_PROVE_SECRET_${at}`
  return {
    policy: {
      ...policy,
      network: { ...policy.network, rules: [...policy.network.rules, ...rules], routes: [...policy.network.routes, ...routes] },
      secrets: policy.secrets.map((rule, at) => ({ ...rule, from: { kind: 'env', variable: variable(at) } })),
      env: policy.env.map((rule) =>
        rule.value === undefined && !plainNames.test(rule.name) ? { ...rule, value: madeUp(rule.name) } : rule,
      ),
    },
    env: Object.fromEntries(policy.secrets.map((rule, at) => [variable(at), madeUp(rule.name)])),
  }
}
