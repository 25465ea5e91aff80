// A secret of the user: bound to hosts, never in the cell, which holds a placeholder of the same shape.
import type { CanonicalHost, HostPattern, Origin } from './policy.ts'

/** Where the value is read, on the host, when the session starts. */
export type SecretSource =
  | { readonly kind: 'env'; readonly variable: string }
  /** Absolute. `member`: what is there is a JSON object, and the value is this member of it. */
  | { readonly kind: 'file'; readonly path: string; readonly member?: string }
  /** argv, never a shell string; its standard output without the last line feed; `member` as for a file. */
  | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]]; readonly member?: string }
  | { readonly kind: 'keyring'; readonly service: string; readonly account: string }
  /** A login that an agent keeps in a file of the user's, refreshed there; `format` says whose (secrets/login/). */
  | { readonly kind: 'login'; readonly format: 'claude'; readonly path: string }
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
  /** Names of fields and query parameters (lower case, `-` for `_`) that sound like credentials and are none, or may be anybody's. */
  readonly pass?: readonly string[]
  /** Whether a WebSocket may be opened to these hosts. What passes in it afterwards is not looked at. */
  readonly websocket?: true
  /** A token of a git server: what may be done with it is read from git's own requests. */
  readonly git?: GitBinding
  /** One part of an AWS key pair: never sent, but used to sign anew what was signed with placeholders inside. */
  readonly aws?: AwsBinding
  /** Its source may have no value; then there is no such secret in this run. */
  readonly optional?: true
  readonly origin: Origin
}

/** What a token for git over HTTPS may be used for; fetching from its one repository always. */
export interface GitBinding {
  /** Path of the repository on its hosts, without slashes around it and without `.git`: `me/project`. */
  readonly repository: string
  /** The user name that goes with the token; servers with tokens mostly take any. */
  readonly username: string
  /** Absent: no push. */
  readonly push?: {
    /** Patterns of branch names: `*` within a segment, `**` over several. */
    readonly branches: readonly string[]
    readonly force: boolean
    readonly tags: boolean
    readonly remove: boolean
  }
}

export interface AwsBinding {
  readonly part: 'id' | 'secret' | 'token'
  /** Names in the credential scope (`s3`, `eu-central-1`); absent: any. */
  readonly services?: readonly string[]
  readonly regions?: readonly string[]
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

/** A request of the host's own, made outside of every cell. */
export interface OwnRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
}

export interface OwnAnswer {
  readonly status: number
  readonly body: string
}

/** Rejects with an Error in words for the user; never holds what was sent. */
export type Ask = (place: { readonly host: CanonicalHost; readonly port: number }, request: OwnRequest) => Promise<OwnAnswer>
