// Policy: patterns of paths in rules: `*` within a segment, `**` for any number of segments, no other character special. Pure.
import { decoded, oddInPath, splitTarget } from './request-path.ts'

/** Why this is not a pattern, in words; undefined when it is one. A deny cannot speak of a query: a server reads many spellings of one. */
export function oddInPattern(pattern: string, effect: 'allow' | 'deny'): string | undefined {
  const { path, query } = splitTarget(pattern)
  if (!path.startsWith('/')) return 'a path starts with /'
  if (query !== undefined && effect === 'deny') return 'a deny cannot speak of the query: one query has many spellings'
  if (query !== undefined && !/^[\x21\x22\x24-\x5b\x5d-\x7e]*$/.test(query)) return 'its query has a character that no request can have'
  if (path.split('/').some((segment) => segment.includes('**') && segment !== '**')) return '** stands alone between two slashes'
  const odd = oddInPath(path)
  return odd === undefined ? undefined : `it has ${odd}, and no request with that is let through`
}

/** Whether an allow's pattern speaks of this target (path and query, the path in its one form). With a query in the pattern it must be that query exactly. */
export function patternAllows(pattern: string, target: string): boolean {
  const [own, asked] = [splitTarget(pattern), splitTarget(target)]
  if (own.query !== undefined && own.query !== asked.query) return false
  return segmentsMatch(own.path.split('/'), asked.path.split('/'))
}

/**
 * Whether a deny's pattern speaks of this path. Wider than an allow's: spellings that some server takes for the same (case, escapes, a final
 * slash, blanks around a segment, dots behind it, compatibility forms) are denied with it.
 */
export function patternDenies(pattern: string, path: string): boolean {
  const [own = [], asked = []] = [pattern, path].map((text) => text.split('/').map(folded))
  const solid = asked.filter((segment, index) => index === 0 || segment !== '')
  return segmentsMatch(own, asked) || segmentsMatch(own, solid)
}

function folded(segment: string): string {
  const text = (decoded(segment) ?? segment).normalize('NFKC').toLowerCase()
  return text.replace(/^[\p{C}\p{Z}]+|[.\p{C}\p{Z}]+$/gu, '')
}

/** Whether whatever `inner` allows, `outer` allows as well. Errs on the side of no. */
export function patternContains(outer: string, inner: string): boolean {
  const [own, asked] = [splitTarget(outer), splitTarget(inner)]
  if (own.query !== undefined && own.query !== asked.query) return false
  // A star of the inner pattern is a letter that only a star of the outer one can stand for.
  return segmentsMatch(own.path.split('/'), asked.path.split('/'), (part, segment) => segment !== '**' && segmentMatches(part, segment))
}

function segmentsMatch(pattern: readonly string[], path: readonly string[], fits: typeof segmentMatches = segmentMatches): boolean {
  // Reached: which suffixes of the pattern can begin at this segment. Linear memory, no backtracking.
  let reached = new Set(skip(pattern, 0))
  for (const segment of path) {
    const next = new Set<number>()
    for (const at of reached) {
      const part = pattern[at]
      if (part === undefined) continue
      if (part === '**') for (const index of skip(pattern, at)) next.add(index)
      else if (fits(part, segment)) for (const index of skip(pattern, at + 1)) next.add(index)
    }
    reached = next
  }
  return reached.has(pattern.length)
}

/** The position, and those behind it that `**` lets be reached without a segment. */
function skip(pattern: readonly string[], from: number): number[] {
  const reached = [from]
  for (let at = from; pattern[at] === '**'; at++) reached.push(at + 1)
  return reached
}

function segmentMatches(part: string, segment: string): boolean {
  const [first = '', ...rest] = part.split('*')
  if (rest.length === 0) return first === segment
  if (!segment.startsWith(first)) return false
  const last = rest.pop() ?? ''
  let at = first.length
  for (const piece of rest) {
    const found = segment.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return segment.length - last.length >= at && segment.endsWith(last)
}
