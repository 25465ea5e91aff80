// Secrets, login: what differs between the agents whose logins are refreshed here. One file per agent beside this one.
import type { CanonicalHost } from '../../model/policy.ts'
import type { OwnRequest } from '../../model/secret.ts'

export interface Tokens {
  readonly access: string
  /** Absent: the login can't be refreshed, and is used until it ends. */
  readonly refresh?: string
  /** Milliseconds since the epoch; absent: it does not end. */
  readonly expiresAt?: number
}

export interface LoginFormat {
  readonly title: string
  /** What the user does to log in again, outside. */
  readonly again: string
  readonly endpoint: { readonly host: CanonicalHost; readonly port: number }
  /** From the file's content; undefined where it holds no login. */
  read(content: unknown): Tokens | undefined
  request(content: unknown, refresh: string): OwnRequest
  /** The content with what the endpoint answered; all else in it stays. Undefined where that is no answer with tokens. */
  renewed(content: unknown, answer: unknown, now: number): unknown
  /** Folders that stand for "somebody refreshes this login": the agent's own, so that it and we never do so at once. All are taken, in order. */
  locks(file: string): readonly string[]
}
