// Policy: how text that somebody else wrote is quoted in a reason or a failure. Used by every file of this folder.

/** One line, at most `limit` characters: controls, bidi and invisible characters become `\u{…}`, the rest stays as it is. */
export function show(text: string, limit = 80): string {
  const shown = text.slice(0, limit).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
  return text.length > limit ? `${shown}…` : shown
}
