// Policy: the one form of a request's path that rules by path are held to. What is not in it is refused, never mended. Pure.

/** What two servers may read in two ways, most telling first (RFC 3986 2.1, 3.3; UTS 36 3.1 for the overlong forms). */
const odd: readonly (readonly [RegExp, string])[] = [
  [/\\/, 'a backslash'],
  [/;/, 'a parameter (;)'],
  [/[^\x21-\x7e]/, 'a byte that must be escaped'],
  [/%(?![0-9a-fA-F]{2})/, 'an escape (%) without two hexadecimal digits'],
  [/%25/, 'an escape within an escape (%25)'],
  [/%(?:2[fF]|5[cC])/, 'an escaped slash or backslash'],
  [/%(?:3[bBfF]|23)/, 'an escaped ; ? or #'],
  [/%(?:[01][0-9a-fA-F]|7[fF])/, 'an escaped control character'],
  [/%2[eE]/, 'an escaped dot'],
  [/%(?:2[dD]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])/, 'an escape that is not needed'],
  [/%(?:[0-9A-F][a-f]|[a-f])/, 'an escape in lower case'],
  [/[^A-Za-z0-9._~!$&'()*+,=:@%/-]/, 'a character that must be escaped'],
  [/\/\//, 'an empty segment (//)'],
  [/\/\.{1,2}(?:\/|$)/, 'a dot segment'],
]

/** The one form without escapes: segments that are not empty (but the last) and do not begin with a dot. What most requests ask for. */
const simple = /^(?:\/(?![./])[A-Za-z0-9._~!$&'()*+,=:@-]+)*\/?$/

/** Why a path (without its query) is not in its one form, in words for "the path has …"; undefined when it is. */
export function oddInPath(path: string): string | undefined {
  if (!path.startsWith('/')) return 'no slash in front'
  if (simple.test(path)) return undefined
  const found = odd.find(([pattern]) => pattern.test(path))
  if (found !== undefined) return found[1]
  // The escapes together must be UTF-8: no overlong forms, no surrogates, nothing cut off.
  const text = decoded(path)
  if (text === undefined) return 'an escape that is no UTF-8 (overlong or cut off)'
  if (/[\uff0f\uff3c\u2044\u2215\u2216]/.test(text)) return 'a character that some servers take for a slash'
  return text.split('/').some(isDotsInDisguise) ? 'a dot segment in disguise' : undefined
}

/** Dots beside blanks or in compatibility forms: some file systems and frameworks leave out the one and fold the other. */
function isDotsInDisguise(segment: string): boolean {
  return /^\.{1,2}$/.test(segment.normalize('NFKC').replace(/[\p{C}\p{Z}]/gu, ''))
}

/** Without its escapes; undefined where they are not UTF-8. */
export function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** Path and query of a request target in origin form; the query is undefined where there is no `?`. */
export function splitTarget(target: string): { readonly path: string; readonly query: string | undefined } {
  const at = target.indexOf('?')
  return at === -1 ? { path: target, query: undefined } : { path: target.slice(0, at), query: target.slice(at + 1) }
}
