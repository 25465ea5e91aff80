// Secrets: a value in base64 that is broken into lines, as `base64`, PEM, mail and the libraries of Ruby, PHP and Python write it (RFC 2045 6.8).
// Beside spellings.ts. For finding values in answers.
import type { Spelled } from './spellings.ts'

/** A line end, also as JSON writes one. */
const lineEnds = ['\n', '\r\n', '\\n', '\\r\\n'].map((text) => Buffer.from(text, 'latin1'))
/** In front of the next line. */
const mostBlanks = 32
/** So much stands before a line end that counts: a line of a stream that only ends like a value begins should not wait for the next one. */
const before = 3

/**
 * `core`: base64 of the value, without what it shares with its neighbours; `put` is that of the placeholder. Where the first line ends after
 * less than three characters, they stay, and what is in the next line is found.
 */
export function wrapped(core: string, put: string): readonly Spelled[] {
  return Array.from({ length: before + 1 }, (_, left): Spelled => {
    const wanted = core.slice(left)
    return { heads: [wanted.slice(0, before)], match: (bytes, at) => matchLines(bytes, at, wanted, put.slice(left)) }
  })
}

function matchLines(bytes: Buffer, at: number, wanted: string, put: string): ReturnType<Spelled['match']> {
  let from = at
  let written = ''
  for (let index = 0; index < wanted.length; index++) {
    const end = index < before ? from : lineEndAt(bytes, from)
    if (end === 'cut') return 'cut'
    written += bytes.toString('latin1', from, end)
    const char = bytes[end]
    if (char === undefined) return 'cut'
    if (char !== wanted.charCodeAt(index)) return undefined
    written += put[index] ?? ''
    from = end + 1
  }
  return { length: from - at, put: wanted.length === put.length ? written : put }
}

/** Behind a line end and the blanks of the next line; `from` where there is none. */
function lineEndAt(bytes: Buffer, from: number): number | 'cut' {
  const code = bytes[from]
  if (code !== 10 && code !== 13 && code !== 92) return from
  for (const text of lineEnds) {
    const there = bytes.subarray(from, from + text.length)
    if (there.length < text.length && text.subarray(0, there.length).equals(there)) return 'cut'
    if (!there.equals(text)) continue
    let end = from + text.length
    while (end - from < mostBlanks && (bytes[end] === 32 || bytes[end] === 9)) end += 1
    return end >= bytes.length ? 'cut' : end
  }
  return from
}
