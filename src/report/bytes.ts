// Bytes of an agent's files as text that no terminal obeys: what is no UTF-8 as \xff, controls and invisible characters as escapes.
// Neighbours: text.ts does the escaping; diff.ts shows lines with it.
import { pathOf } from '../workspace/path-bytes.ts'
import { plain } from './text.ts'

/** A line or name held as latin1 (a byte a character). Tabs stay where `tabs`. */
export function shownBytes(latin1: string, options: { readonly tabs?: boolean } = {}): string {
  return shownPath(pathOf(Buffer.from(latin1, 'latin1')), options)
}

/** A path of workspace/path-bytes.ts, or any text: bytes that are no UTF-8 stand in it as lone surrogates. */
export function shownPath(path: string, options: { readonly tabs?: boolean } = {}): string {
  const parts = options.tabs === true ? path.split('\t') : [path]
  return parts.map((part) => bytes(part)).join('\t')
}

function bytes(text: string): string {
  if (text.isWellFormed()) return plain(text)
  return text
    .split(/([\udc80-\udcff])/)
    .map((part) => (part.length === 1 && !part.isWellFormed() ? `\\x${(part.charCodeAt(0) - 0xdc00).toString(16)}` : plain(part)))
    .join('')
}
