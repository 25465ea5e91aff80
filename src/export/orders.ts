// What an exported gateway is told, and where its things lie in its container.
import type { Listener } from '../model/plan.ts'
import type { Policy } from '../model/policy.ts'
import type { SecretRule } from '../model/secret.ts'

/** JSON; no value of a secret. */
export interface Orders {
  readonly project: string
  readonly agent: string
  readonly argv: readonly string[]
  readonly workspace: Policy['workspace']['mode']
  readonly permissions: Policy['permissions']['mode']
  readonly policyDigest: string
  /** Of the anchorhold that made it. */
  readonly version: string
  readonly network: Policy['network']
  /** The value is the gateway's environment variable of the rule's name. */
  readonly secrets: readonly { readonly rule: SecretRule; readonly placeholder: string }[]
  readonly listeners: readonly Listener[]
}

export const places = {
  program: '/opt/anchorhold',
  orders: '/etc/anchorhold/gateway.json',
  /** Of holder and gateway alone. */
  door: '/run/anchorhold/door',
  ready: '/tmp/ready',
  state: '/var/lib/anchorhold',
  bundle: '/var/lib/anchorhold/ca-certificates.crt',
  system: '/etc/ssl/certs/ca-certificates.crt',
} as const
