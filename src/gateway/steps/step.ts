// Gateway, steps: what stands between the judge and the server for a request that can be read. One file per step, one line each in list.ts.
// A step is asked after host and port were allowed; it may refuse the request, answer it, change it, and look at the answer as it passes.
import type { Duplex, Transform } from 'node:stream'
import type { Refusal, Target } from '../context.ts'

export type Field = readonly [name: string, value: string]

export interface StepRequest {
  readonly target: Target
  /** Whether the bytes leave over verified TLS, or to a loopback address that a route of the user names. */
  readonly safe: boolean
  readonly method: string
  /** Origin form with the query: exactly what the server receives unless a step changes it. */
  readonly path: string
  /** End-to-end fields in the order sent; Host and framing are not among them. */
  readonly fields: readonly Field[]
  readonly body: StepBody
  /** A handshake: what follows is a tunnel that no step sees. */
  readonly websocket: boolean
}

/** The body of a request, looked at without consuming it. Bounded: what is not asked for is never held. */
export interface StepBody {
  /** Bytes; undefined when it comes in chunks. 0: there is none. */
  readonly length: number | undefined
  /** The first bytes: at least `bytes` of them, or all there are. Rejects when the body breaks off before. */
  peek(bytes: number): Promise<Buffer>
  /** The whole body, or undefined when it is longer than `maxBytes`. */
  whole(maxBytes: number): Promise<Buffer | undefined>
}

export interface StepAnswerHead {
  readonly status: number
  readonly fields: readonly Field[]
}

/**
 * Looks at one answer. Both may be there; a tap sees the bytes as the server sent them. The last step of the list is nearest to the server: its
 * `head` and `through` come first. Where some step has one of these, trailer fields are dropped.
 */
export interface Watch {
  /** `fields` replaces the answer's; `through` is a stream that the body goes through (its length is no longer known then). */
  head?(head: StepAnswerHead): { readonly fields?: readonly Field[]; readonly through?: Duplex }
  /** Sees the answer without delaying it. `end(false)`: it broke off. A chunk is valid during the call only. A tap that throws is not called again. */
  readonly tap?: { head(head: StepAnswerHead): void; data(chunk: Buffer): void; end(complete: boolean): void }
  /** Called once, last, however it ended: also where the request never left. `delivered`: it was answered, or the cell went away meanwhile. */
  over?(delivered: boolean): void
}

export interface StepChange {
  readonly path?: string
  readonly fields?: readonly Field[]
  readonly body?: Buffer | Transform
  /** The stream gives exactly as many bytes as it takes, so the request keeps the length it had. */
  readonly sameLength?: true
}

export type StepResult =
  | {
      readonly kind: 'pass'
      /** A new body is a whole one, or a stream that the old one goes through. */
      readonly change?: StepChange
      readonly watch?: Watch
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly status?: number }
  /** The gateway's own answer in the API's own shape (a spent budget). */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly fields: readonly Field[]
      readonly body: Buffer
      readonly refusal?: Refusal
    }

export interface Step {
  readonly name: string
  /** It also looks at requests that are read for another reason: beside its own (`too`), or having none (`only`). Default: not. */
  readonly along?: 'too' | 'only'
  /**
   * Why requests to this target must be read, in words ("the secret GITHUB_TOKEN is put in"); undefined: this step has no business there.
   * The answer is the same for the whole session. TLS is ended where some step answers.
   */
  concerns(target: Target): string | undefined
  /** Called only for targets that it concerns, in the order of the list; sees what the steps before it changed. A throw is a refusal. */
  request(request: StepRequest): Promise<StepResult> | StepResult
}
