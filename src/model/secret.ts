// A secret of the user: bound to hosts, never in the cell, which holds a placeholder of the same shape.
import type { CanonicalHost, Origin } from './policy.ts'

/** Where the value is read, on the host, when the session starts. */
export type SecretSource =
  | { readonly kind: 'env'; readonly variable: string }
  | { readonly kind: 'file'; readonly path: string }
  /** argv, never a shell string; its standard output without the last line feed. */
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | { readonly kind: 'keyring'; readonly service: string; readonly account?: string }
  /** anchorhold's own store (`anchorhold secret set NAME`). */
  | { readonly kind: 'store' }

/** The places of a request where a credential belongs. `header` is Authorization (Bearer or token) or a field of its own; `basic` its password. */
export type SecretPlace = 'header' | 'basic' | 'query' | 'body'

/** One line of the policy's `secrets`, or one `--secret`. */
export interface SecretRule {
  /** Also the variable that holds the placeholder inside. */
  readonly name: string
  readonly from: SecretSource
  readonly hosts: readonly { readonly host: CanonicalHost; readonly port: number }[]
  readonly where: readonly SecretPlace[]
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
  readonly origin: Origin
}

/** A secret at work in one session; held by the gateway's process alone. */
export interface HeldSecret {
  readonly rule: SecretRule
  /** What the cell sees instead: same prefix, length and alphabet. */
  readonly placeholder: string
  /** The value now; a login that is refreshed gives a new one later. Rejects with a Failure where it can't be had. */
  current(): Promise<string>
}
