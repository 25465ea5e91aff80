// Gateway, steps, inject: takes values out of a stream of bytes, whatever the pieces it comes in. Holds back only what could be the beginning of one.
import type { Needle } from '../../../secrets/forms.ts'

export interface Scrubber {
  /** What may go on of this piece and of what was held back; the same memory where nothing was found. */
  push(piece: Buffer): Buffer
  /** What was held back at the end. */
  end(): Buffer
}

interface Bytes {
  readonly find: Buffer
  readonly put: Buffer
}

const nothing = Buffer.alloc(0)

/** `onFound` is called for each piece in which something was found. */
export function makeScrubber(needles: readonly Needle[], onFound: () => void): Scrubber {
  const wanted = needles.map(({ find, put }): Bytes => ({ find: Buffer.from(find, 'latin1'), put: Buffer.from(put, 'latin1') }))
  const longest = Math.max(0, ...wanted.map(({ find }) => find.length))
  let held: Buffer = nothing
  return {
    push(piece) {
      const bytes = held.length === 0 ? piece : Buffer.concat([held, piece])
      const { parts, rest } = replaceAll(bytes, wanted)
      if (parts.length > 0) onFound()
      const keep = beginning(rest, wanted, longest)
      // A copy: the piece's memory is the caller's again, and may be large.
      held = keep === 0 ? nothing : Buffer.from(rest.subarray(rest.length - keep))
      const going = keep === 0 ? rest : rest.subarray(0, rest.length - keep)
      return parts.length === 0 ? going : Buffer.concat([...parts, going])
    },
    end() {
      const last = held
      held = nothing
      return last
    },
  }
}

/** Everything up to the last finding with the findings replaced, and what comes after it. */
function replaceAll(bytes: Buffer, wanted: readonly Bytes[]): { readonly parts: readonly Buffer[]; readonly rest: Buffer } {
  const parts: Buffer[] = []
  const next = wanted.map(({ find }) => bytes.indexOf(find))
  let from = 0
  for (;;) {
    let best: number | undefined
    for (const [index, at] of next.entries()) if (at >= 0 && (best === undefined || at < (next[best] ?? 0))) best = index // longest first in the list
    const found = best === undefined ? undefined : wanted[best]
    if (best === undefined || found === undefined) return { parts, rest: from === 0 ? bytes : bytes.subarray(from) }
    const at = next[best] ?? 0
    parts.push(bytes.subarray(from, at), found.put)
    from = at + found.find.length
    for (const [index, { find }] of wanted.entries())
      if ((next[index] ?? -1) >= 0 && (next[index] ?? 0) < from) next[index] = bytes.indexOf(find, from)
  }
}

/** How many bytes at the end could be the beginning of something wanted. */
function beginning(bytes: Buffer, wanted: readonly Bytes[], longest: number): number {
  for (let from = Math.max(0, bytes.length - longest + 1); from < bytes.length; from++) {
    const length = bytes.length - from
    const fits = wanted.some(({ find }) => find.length > length && find[0] === bytes[from] && bytes.compare(find, 0, length, from) === 0)
    if (fits) return length
  }
  return 0
}
