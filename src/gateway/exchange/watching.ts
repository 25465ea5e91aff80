// Gateway, exchange: the steps' look at an answer as it passes: taps see it as the server sent it, heads and streams change it. deliver.ts uses it.
import type { Duplex } from 'node:stream'
import type { Field, StepAnswerHead, Watch } from '../steps/step.ts'
import { soundFields } from './run-steps.ts'

export interface Watching {
  /** What the taps are told. A tap that throws is not called again. */
  readonly tap: { head(head: StepAnswerHead): void; data(piece: Buffer): void; end(complete: boolean): void } | undefined
  /** Whether trailer fields may pass: nobody looks at them. */
  readonly trailers: boolean
  /** Undefined: what a step made of it is no HTTP, or it threw; the answer must not pass. */
  change(head: StepAnswerHead): { readonly fields: readonly Field[]; readonly through: readonly Duplex[] } | undefined
}

type Tap = NonNullable<Watch['tap']>

export function watchAll(watches: readonly Watch[]): Watching | undefined {
  if (watches.length === 0) return undefined
  const taps = new Set(watches.flatMap(({ tap }) => (tap === undefined ? [] : [tap])))
  const each = (tell: (tap: Tap) => void): void => {
    for (const tap of taps) {
      try {
        tell(tap)
      } catch {
        taps.delete(tap)
      }
    }
  }
  return {
    tap:
      taps.size === 0
        ? undefined
        : {
            head: (head) => each((tap) => tap.head(head)),
            data: (piece) => each((tap) => tap.data(piece)),
            end: (complete) => each((tap) => tap.end(complete)),
          },
    trailers: watches.every((watch) => watch.head === undefined),
    change({ status, fields: before }) {
      let fields = before
      const through: Duplex[] = []
      try {
        for (const watch of watches.toReversed()) {
          const changed = watch.head?.({ status, fields })
          fields = changed?.fields ?? fields
          if (changed?.through !== undefined) through.push(changed.through)
        }
      } catch {
        return undefined
      }
      return fields === before || soundFields(fields) ? { fields, through } : undefined
    },
  }
}
