// Types of the policy: what a user allows, before one run makes it concrete (see plan.ts).
import type { BudgetRule } from './budget.ts'
import type { ImageRule } from './image.ts'
import type { SecretRule } from './secret.ts'

export type EngineChoice = 'auto' | EngineName
export type EngineName = 'bubblewrap' | 'docker' | 'podman' | 'gvisor'
export type WorkspaceMode = 'live' | 'review' | 'readonly'
export type PermissionMode = 'ask' | 'allow-listed' | 'auto'
export type MountMode = 'ro' | 'rw'

/** A host name in its one canonical form: lower case, ASCII, no trailing dot, never an address literal. */
export type CanonicalHost = string & { readonly __brand: 'CanonicalHost' }

/** Which names a rule speaks of: one host, or every strict subdomain of a suffix. */
export type HostPattern =
  | { readonly kind: 'host'; readonly host: CanonicalHost }
  | { readonly kind: 'subdomains'; readonly suffix: CanonicalHost }

/** Where a line of the effective policy comes from; shown by `anchorhold policy` and in every refusal. */
export interface Origin {
  readonly kind: 'built-in' | 'user' | 'project' | 'flag' | 'preset'
  /** A file path, a flag as typed (`--allow x`), or the name of a preset. */
  readonly source: string
  /** 1-based line and column in a policy file. */
  readonly line?: number
  readonly column?: number
}

export interface HostRule {
  readonly effect: 'allow' | 'deny'
  readonly pattern: HostPattern
  /** TCP ports. A rule without a port means 80 and 443; a deny without a port means every port. */
  readonly ports: readonly number[] | 'all'
  /** With `methods` or `paths` a deny is about these requests alone, and an allow is no more than them. */
  readonly methods?: readonly string[]
  /** Patterns of paths, in an allow also with an exact query (path-pattern.ts). */
  readonly paths?: readonly string[]
  /** An allow of GraphQL: what is sent to its paths must be queries, by whatever rule it is allowed. */
  readonly graphql?: 'query'
  readonly reason?: string
  /** Set where this machine's own set-up names the host (a package manager's registry): it may lie in a private network. */
  readonly mayBePrivate?: true
  readonly origin: Origin
}

/** Hosts whose TLS the gateway never ends. */
export type PassRule = Pick<HostRule, 'pattern' | 'ports' | 'origin'>

/** A name that is dialled somewhere else than where DNS says; only the user's own policy and flags may have them. */
export interface Route {
  readonly host: CanonicalHost
  /** The port as the cell sees it. */
  readonly port: number
  /** An IP address literal (never a name) and port on the host's side; 'http' where TLS is ended by the gateway and plain HTTP goes on. */
  readonly to: { readonly address: string; readonly port: number; readonly scheme: 'tcp' | 'http' }
  readonly origin: Origin
}

export interface FileMount {
  /** Absolute, canonical host path; the cell sees it at the same path. */
  readonly path: string
  readonly mode: MountMode
  readonly origin: Origin
}

/** Limits as numbers: bytes, counts, cores, milliseconds. An absent one is not set. */
export interface Limits {
  readonly memory?: number
  readonly processes?: number
  readonly cpus?: number
  readonly time?: number
  readonly tmp?: number
  /** What a review may write in all. */
  readonly disk?: number
  readonly fileSize?: number
  readonly openFiles?: number
}

export interface EnvRule {
  readonly name: string
  /** Absent: taken from the caller's environment at the start. */
  readonly value?: string
  readonly origin: Origin
}

export interface PathRule {
  /** gitignore-style glob relative to each writable root; a pattern without a slash matches at any depth. */
  readonly glob: string
  readonly origin: Origin
}

/** The effective policy of one run: every layer merged, every preset expanded, every line with its origin. */
export interface Policy {
  readonly engine: EngineChoice
  readonly agent: string | undefined
  /** What engines that start from an image start from; absent: the image that anchorhold ships. */
  readonly image?: ImageRule
  readonly workspace: { readonly mode: WorkspaceMode }
  readonly files: {
    readonly mount: readonly FileMount[]
    readonly hide: readonly PathRule[]
    readonly protect: readonly PathRule[]
    /** Built-in protections that the user's policy lifts, by the glob in the table (`.github/workflows/**`). */
    readonly unprotect: readonly PathRule[]
  }
  readonly env: readonly EnvRule[]
  readonly network: {
    readonly rules: readonly HostRule[]
    readonly routes: readonly Route[]
    /** Hosts whose TLS is never ended: clients that know one certificate only, or show one of their own. Allows nothing by itself. */
    readonly passThrough?: readonly PassRule[]
  }
  /** Bindings alone, never a value; each name once. */
  readonly secrets: readonly SecretRule[]
  readonly permissions: { readonly mode: PermissionMode; readonly allow: readonly string[] }
  readonly limits: Limits
  /** One for each scope and unit; absent where nothing is limited. */
  readonly budget?: readonly BudgetRule[]
  /** sha-256 (hex) over the canonical JSON of the effective policy. */
  readonly digest: string
}
