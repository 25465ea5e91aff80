// Gateway, steps, inject: takes values out of a stream of bytes, whatever the pieces it comes in. Holds back only what could be the beginning of one.
import type { Sought } from '../../../secrets/forms.ts'
import type { Spelled } from '../../../secrets/spellings.ts'

export interface Scrubber {
  /** What may go on of this piece and of what was held back; the same memory where nothing was found. */
  push(piece: Buffer): Buffer
  /** What was held back at the end. */
  end(): Buffer
}

interface Bytes {
  readonly find: Buffer
  /** What stands there from the beginning that was found on. */
  readonly match: Spelled['match']
}

const nothing = Buffer.alloc(0)
interface Compiled {
  readonly wanted: readonly Bytes[]
  readonly longest: number
  /** By byte: whether something wanted begins with it. */
  readonly firsts: Uint8Array
}

const compiled = new WeakMap<Sought, Compiled>()

/** `onFound` is called for each piece in which something was found. */
export function makeScrubber(sought: Sought, onFound: () => void): Scrubber {
  const known = compiled.get(sought) ?? compile(sought)
  compiled.set(sought, known)
  const { wanted } = known
  let held: Buffer = nothing
  return {
    push(piece) {
      const bytes = held.length === 0 ? piece : Buffer.concat([held, piece])
      const { parts, rest, cut } = replaceAll(bytes, wanted)
      if (parts.length > 0) onFound()
      const keep = Math.max(rest.length - cut, beginning(rest, known))
      // A copy: the piece's memory is the caller's again, and may be large.
      held = keep === 0 ? nothing : Buffer.from(rest.subarray(rest.length - keep))
      const going = keep === 0 ? rest : rest.subarray(0, rest.length - keep)
      return parts.length === 0 ? going : Buffer.concat([...parts, going])
    },
    end() {
      const { parts, rest } = replaceAll(held, wanted, true)
      held = nothing
      if (parts.length > 0) onFound()
      return parts.length === 0 ? rest : Buffer.concat([...parts, rest])
    },
  }
}

/** The longest first: of two at one place the first in the list counts. */
function compile({ needles, spelled }: Sought): Compiled {
  const fixed = needles.map(({ find, put }): Bytes => ({ find: Buffer.from(find, 'latin1'), match: () => ({ length: find.length, put }) }))
  const loose = spelled.flatMap(({ heads, match }) => heads.map((head): Bytes => ({ find: Buffer.from(head, 'latin1'), match })))
  const wanted = [...fixed, ...loose]
  const firsts = new Uint8Array(256)
  for (const { find } of wanted) firsts[find[0] ?? 0] = 1
  return { wanted, firsts, longest: Math.max(0, ...wanted.map(({ find }) => find.length)) }
}

/** Everything up to the last finding with the findings replaced, and what comes after it; `cut`: where in that one begins whose end is not there yet. */
function replaceAll(
  bytes: Buffer,
  wanted: readonly Bytes[],
  last = false,
): { readonly parts: readonly Buffer[]; readonly rest: Buffer; readonly cut: number } {
  const parts: Buffer[] = []
  const next = wanted.map(({ find }) => bytes.indexOf(find))
  let from = 0
  const done = (cut = bytes.length): { parts: Buffer[]; rest: Buffer; cut: number } => ({
    parts,
    rest: from === 0 ? bytes : bytes.subarray(from),
    cut: cut - from,
  })
  for (;;) {
    let best: number | undefined
    for (const [index, at] of next.entries()) if (at >= 0 && (best === undefined || at < (next[best] ?? 0))) best = index
    const found = best === undefined ? undefined : wanted[best]
    if (best === undefined || found === undefined) return done()
    const at = next[best] ?? 0
    const there = found.match(bytes, at)
    if (there === 'cut' && !last) return done(at)
    if (there === undefined || there === 'cut') {
      next[best] = bytes.indexOf(found.find, at + 1)
      continue
    }
    parts.push(bytes.subarray(from, at), Buffer.from(there.put, 'latin1'))
    from = at + there.length
    for (const [index, { find }] of wanted.entries())
      if ((next[index] ?? -1) >= 0 && (next[index] ?? 0) < from) next[index] = bytes.indexOf(find, from)
  }
}

/** How many bytes at the end could be the beginning of something wanted. */
function beginning(bytes: Buffer, { wanted, longest, firsts }: Compiled): number {
  for (let from = Math.max(0, bytes.length - longest + 1); from < bytes.length; from++) {
    if (firsts[bytes[from] ?? 0] === 0) continue
    const length = bytes.length - from
    const fits = wanted.some(({ find }) => find.length > length && find[0] === bytes[from] && bytes.compare(find, 0, length, from) === 0)
    if (fits) return length
  }
  return 0
}
