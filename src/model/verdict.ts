// The answer of the judge about one way out of the cell. A thrown error while judging is a deny.
import type { CanonicalHost, HostRule, Origin } from './policy.ts'

export interface Verdict {
  readonly effect: 'allow' | 'deny'
  /** One word for machines: 'allowed', 'not-listed', 'denied', 'address-literal', 'bad-name', 'private-address', 'name-mismatch', 'port', … */
  readonly code: string
  /** A sentence for people, without control characters. */
  readonly reason: string
  /** The rule that decided, in words ("api.github.com:443 from ~/.config/anchorhold/policy.yaml:12"); none where nothing matched. */
  readonly rule?: HostRule
  readonly origin?: Origin
  /** The exact command or policy line that would allow it; absent where nothing can. */
  readonly remedy?: string
}

/** What the cell asked for, canonicalised before anything else looked at it. */
export interface Destination {
  readonly host: CanonicalHost
  readonly port: number
}
