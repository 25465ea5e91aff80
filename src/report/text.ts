// The report phase's gate: everything from a journal, a cell or a file name passes here before a terminal sees it.
// Neighbours: style.ts colours what came out of here, table.ts lays it out.

export interface PlainOptions {
  /** At most this many characters (code points) of the result; longer text ends in "…". */
  readonly max?: number
  /** Keep line feeds as they are (for messages of several lines); all else is escaped as ever. */
  readonly lines?: boolean
  /** Escape backslashes too, so that two different texts never look alike (the result is injective without `max`). */
  readonly exact?: boolean
}

/**
 * Characters that a terminal obeys or hides: all of Cc, Cf, Zl, Zp, lone surrogates, private use, unassigned, default-ignorables
 * (zero-width, tags, variation selectors: Unicode TR44), blanks other than the space and the ideographic space, the blank braille cell.
 * A mark (M) that opens the text or follows three others would be drawn over somebody else's characters.
 */
const unsafe = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?![ \u3000])\p{Zs}|^\p{M}|(?<=\p{M}{3})\p{M}/gu
/** The common case, tested first: printable ASCII only. */
const harmless = /^[ -~]*$/

/**
 * The text with control, bidi and invisible characters as visible escapes: `\n`, `\x1b`, `\u202e`, `\u{e0041}`.
 * Never throws; `plain(plain(x)) === plain(x)` without `exact`. (CVE-2021-42574, CVE-2023-28101.)
 */
export function plain(text: string, options: PlainOptions = {}): string {
  const bounded = options.max === undefined ? text : text.slice(0, options.max * 2 + 2)
  const slashed = options.exact === true ? bounded.replaceAll('\\', '\\\\') : bounded
  const shown = harmless.test(slashed) ? slashed : escapeUnsafe(slashed, options.lines === true)
  return options.max === undefined ? shown : cut(shown, options.max)
}

function escapeUnsafe(text: string, keepLines: boolean): string {
  return text.replace(unsafe, (character) => (keepLines && character === '\n' ? character : escapeOf(character)))
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const characters = [...text]
  return characters.length <= max ? text : `${characters.slice(0, Math.max(0, max - 1)).join('')}…`
}

/** Any value of a parsed journal with every string in it (keys too) made plain; for JSON given to people or terminals. */
export function plainDeep(value: unknown): unknown {
  if (typeof value === 'string') return plain(value)
  if (Array.isArray(value)) return value.map(plainDeep)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [plain(key), plainDeep(inner)]))
}
