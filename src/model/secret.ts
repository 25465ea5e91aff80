// A secret of the user: bound to hosts, never in the cell, which holds a placeholder of the same shape.
import type { HostPattern, Origin } from './policy.ts'

/** Where the value is read, on the host, when the session starts. */
export type SecretSource =
  | { readonly kind: 'env'; readonly variable: string }
  /** Absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** argv, never a shell string; its standard output without the last line feed. */
  | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: 'keyring'; readonly service: string; readonly account: string }
  /** anchorhold's own store (`anchorhold secret set NAME`). */
  | { readonly kind: 'store' }

/** The places of a request where a credential belongs. `header` is Authorization (Bearer or token) or a field of its own; `basic` its password. */
export type SecretPlace = 'header' | 'basic' | 'query' | 'body'

/** Exactly one port of one host, or of every strict subdomain. */
export interface SecretHost {
  readonly pattern: HostPattern
  readonly port: number
}

/** One line of the policy's `secrets`, or one `--secret`. */
export interface SecretRule {
  /** Also the variable that holds the placeholder inside. */
  readonly name: string
  readonly from: SecretSource
  readonly hosts: readonly SecretHost[]
  readonly where: readonly SecretPlace[]
  /** The one field that may hold it, in lower case, instead of Authorization and the usual ones. */
  readonly header?: string
  /** Only requests with these get the value; others may not even ask for it. */
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
  /** Whether a WebSocket may be opened to these hosts. What passes in it afterwards is not looked at. */
  readonly websocket?: true
  readonly origin: Origin
}

/** A secret at work in one session; held by the gateway's process alone. */
export interface HeldSecret {
  readonly rule: SecretRule
  /** What the cell sees instead: same prefix, length and alphabet. */
  readonly placeholder: string
  /** The value now; a login that is refreshed gives a new one later. Rejects with a Failure where it can't be had. */
  current(): Promise<string>
  /** Every value it had in this session: what must be found in answers and kept out of everything written. */
  values(): readonly string[]
}

/** What a token for git over HTTPS may be used for; always fetching from this one repository. */
export interface GitBinding {
  /** Path of the repository on its hosts, without slashes around it and without `.git`: `me/project`. */
  readonly repository: string
  /** Branch patterns (`*` within a segment, `**` over several); absent: no push. */
  readonly push?: { readonly branches: readonly string[]; readonly force: boolean; readonly tags: boolean; readonly remove: boolean }
}
