// Gateway, upstream: why a server could not be asked, or did not answer. What the cell is told is made of it.
import type { Refusal } from '../context.ts'

export class UpstreamError extends Error {
  /** A short word for the journal ('ECONNREFUSED', 'timeout', 'bad-answer', 'stale', …). */
  readonly code: string
  /** Set where the policy, not the outside, stood in the way. */
  readonly refusal: Refusal | undefined
  constructor(code: string, reason: string, refusal?: Refusal) {
    super(reason)
    this.name = 'UpstreamError'
    this.code = code
    this.refusal = refusal
  }
}
