// Gateway: what the cell sent, made safe for a log. Used wherever text that is not a canonical name reaches a journal, a reason or a body.

/** ASCII only, at most `limit` characters: everything else, quotes and backslashes included, is `\u{…}`. */
export function printable(text: string, limit = 120): string {
  const shown = text.slice(0, limit).replace(/[^\x21-\x7e]|["\\<>]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
  return (shown.length > limit * 3 ? shown.slice(0, limit * 3) : shown) + (text.length > limit ? '…' : '')
}
