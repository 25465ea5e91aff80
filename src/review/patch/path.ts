// Names as git writes them in patches: in quotes with C escapes where a byte is not plain ASCII (git, quote.c). Pure.
import { bytesOf } from '../../workspace/path-bytes.ts'

const named: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
}

/** `a/plain name`, or `"a/with\nline feed"`. */
export function patchPath(path: string): string {
  const bytes = bytesOf(path)
  if (bytes.every((byte) => byte >= 32 && byte < 127 && byte !== 34 && byte !== 92)) return path
  const escaped = [...bytes].map(
    (byte) => named[byte] ?? (byte < 32 || byte >= 127 ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte)),
  )
  return `"${escaped.join('')}"`
}
