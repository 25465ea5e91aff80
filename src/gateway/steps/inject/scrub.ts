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
  /** By two bytes (the first times 256): 0, or which of `groups` begins with them. One look at each pair costs the same however much is wanted. */
  readonly pairs: Uint16Array
  readonly groups: readonly (readonly Bytes[])[]
  /** Every byte that something wanted begins with, and by byte what is no longer than that. */
  readonly firsts: readonly number[]
  readonly single: readonly (readonly Bytes[])[]
}

const compiled = new WeakMap<Sought, Compiled>()

/** `onFound` is called for each piece in which something was found. */
export function makeScrubber(sought: Sought, onFound: () => void): Scrubber {
  const known = compiled.get(sought) ?? compile(sought)
  compiled.set(sought, known)
  let held: Buffer = nothing
  return {
    push(piece) {
      const bytes = held.length === 0 ? piece : Buffer.concat([held, piece])
      const { parts, rest, cut } = replaceAll(bytes, known)
      if (parts.length > 0) onFound()
      const keep = Math.max(rest.length - cut, beginning(rest, known))
      // A copy: the piece's memory is the caller's again, and may be large.
      held = keep === 0 ? nothing : Buffer.from(rest.subarray(rest.length - keep))
      const going = keep === 0 ? rest : rest.subarray(0, rest.length - keep)
      return parts.length === 0 ? going : Buffer.concat([...parts, going])
    },
    end() {
      const { parts, rest } = replaceAll(held, known, true)
      held = nothing
      if (parts.length > 0) onFound()
      return parts.length === 0 ? rest : Buffer.concat([...parts, rest])
    },
  }
}

/** The longest first: of two at one place the first in the list counts. */
function compile({ needles, spelled }: Sought): Compiled {
  const fixed = needles.map(({ find, put }): Bytes => {
    const bytes = Buffer.from(find, 'latin1')
    const there = { length: find.length, put }
    return { find: bytes, match: () => there }
  })
  const loose = spelled.flatMap(({ heads, match }) => heads.map((head): Bytes => ({ find: Buffer.from(head, 'latin1'), match })))
  const wanted = [...fixed, ...loose].filter(({ find }) => find.length > 0)
  const firsts = [...new Set(wanted.map(({ find }) => find[0] ?? 0))]
  const single = Array.from({ length: 256 }, (_, byte) => wanted.filter(({ find }) => find.length === 1 && find[0] === byte))
  const pairs = new Uint16Array(65_536)
  const groups: Bytes[][] = [[]]
  const add = (one: Bytes, pair: number): void => {
    if (pairs[pair] === 0) pairs[pair] = groups.push([]) - 1
    groups[pairs[pair] ?? 0]?.push(one)
  }
  for (const one of wanted) {
    const [first = 0, second] = one.find
    if (second !== undefined) add(one, first * 256 + second)
    else for (let any = 0; any < 256; any++) add(one, first * 256 + any)
  }
  return { wanted, firsts, single, pairs, groups, longest: Math.max(0, ...wanted.map(({ find }) => find.length)) }
}

/** Everything up to the last finding with the findings replaced, and what comes after it; `cut`: where in that one begins whose end is not there yet. */
function replaceAll(
  bytes: Buffer,
  known: Compiled,
  last = false,
): { readonly parts: readonly Buffer[]; readonly rest: Buffer; readonly cut: number } {
  const parts: Buffer[] = []
  let from = 0
  const done = (cut = bytes.length): { parts: Buffer[]; rest: Buffer; cut: number } => ({
    parts,
    rest: from === 0 ? bytes : bytes.subarray(from),
    cut: cut - from,
  })
  for (let at = candidate(bytes, 0, known); at < bytes.length; at = candidate(bytes, at, known)) {
    const there = matchAt(bytes, at, known, last)
    if (there === 'cut') return done(at)
    if (there === undefined) {
      at += 1
      continue
    }
    parts.push(bytes.subarray(from, at), Buffer.from(there.put, 'latin1'))
    from = at += there.length
  }
  return done()
}

/** The next place from `from` on where something wanted may begin; the length when there is none. */
function candidate(bytes: Buffer, from: number, { pairs, firsts, single }: Compiled): number {
  const end = bytes.length - 1
  if (from > end) return bytes.length
  // Of what repeats a few bytes (images, padding) mostly nothing is a beginning, and the runtime sees that faster than the loop.
  if (from === 0 && firsts.every((first) => !bytes.includes(first))) return bytes.length
  let before = bytes[from] ?? 0
  for (let at = from; at < end; at++) {
    const next = bytes[at + 1] ?? 0
    if (pairs[before * 256 + next] !== 0) return at
    before = next
  }
  return (single[before]?.length ?? 0) > 0 ? end : bytes.length
}

function matchAt(
  bytes: Buffer,
  at: number,
  { pairs, groups, single }: Compiled,
  last: boolean,
): { readonly length: number; readonly put: string } | 'cut' | undefined {
  const [first = 0, second] = [bytes[at], bytes[at + 1]]
  const group = second === undefined ? single[first] : groups[pairs[first * 256 + second] ?? 0]
  for (const { find, match } of group ?? []) {
    if (at + find.length > bytes.length || bytes.compare(find, 0, find.length, at, at + find.length) !== 0) continue
    const there = match(bytes, at)
    if (there !== undefined && !(there === 'cut' && last)) return there
  }
  return undefined
}

/** How many bytes at the end could be the beginning of something wanted. */
function beginning(bytes: Buffer, { wanted, longest, firsts, pairs }: Compiled): number {
  for (let from = Math.max(0, bytes.length - longest + 1); from < bytes.length; from++) {
    const [first = 0, second] = [bytes[from], bytes[from + 1]]
    if (second === undefined ? !firsts.includes(first) : pairs[first * 256 + second] === 0) continue
    const length = bytes.length - from
    const fits = wanted.some(({ find }) => find.length > length && find[0] === first && bytes.compare(find, 0, length, from) === 0)
    if (fits) return length
  }
  return 0
}
