// Gateway, http: holds one request to the methods and paths of the rules that allow its host. Pure.
import type { HostRule } from '../../model/policy.ts'
import type { Refusal } from '../context.ts'

/** Undefined when some rule allows this method (exact, case-sensitive) at this path. `path` is the request's, query included. */
export function judgeRequest(rules: readonly HostRule[], method: string, path: string): Refusal | undefined {
  const limited = rules.filter((rule) => rule.methods !== undefined || rule.paths !== undefined)
  if (limited.length < rules.length) return undefined
  const [pathname = ''] = path.split('?')
  if (limited.some((rule) => rule.paths !== undefined) && !isPlain(pathname)) {
    return {
      code: 'odd-path',
      reason:
        'the path has dot segments, empty segments or encoded separators, which servers read differently; a rule by path cannot be held to it',
    }
  }
  const byMethod = limited.filter((rule) => rule.methods === undefined || rule.methods.includes(method))
  if (byMethod.length === 0) return { code: 'method', reason: `no rule for this host allows the method ${method}` }
  if (byMethod.some((rule) => rule.paths === undefined || rule.paths.some((pattern) => pathMatches(pattern, pathname)))) return undefined
  return { code: 'path', reason: 'no rule for this host allows this path' }
}

/** `*` stands for anything within one segment, `**` as a whole segment for any number of segments, none included. No other character is special. */
export function pathMatches(pattern: string, pathname: string): boolean {
  return segmentsMatch(pattern.split('/'), pathname.split('/'))
}

function segmentsMatch(pattern: readonly string[], path: readonly string[]): boolean {
  // Reached: which suffixes of the pattern can begin at this segment. Linear memory, no backtracking.
  let reached = new Set(skip(pattern, 0))
  for (const segment of path) {
    const next = new Set<number>()
    for (const at of reached) {
      const part = pattern[at]
      if (part === undefined) continue
      if (part === '**') for (const index of skip(pattern, at)) next.add(index)
      else if (segmentMatches(part, segment)) for (const index of skip(pattern, at + 1)) next.add(index)
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

function isPlain(pathname: string): boolean {
  if (/%(?:2e|2f|5c|25|00)|%(?![0-9a-f]{2})|;|\/\//i.test(pathname)) return false
  return !pathname.split('/').some((segment) => segment === '.' || segment === '..')
}
