// How many columns text takes in a terminal. For text that text.ts made plain: controls are not expected here.

/** Two columns: East Asian wide and full-width blocks (Unicode UAX 11) and emoji shown as pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const ascii = /^[ -~]*$/

export function textWidth(text: string): number {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/** The text in at most `columns` columns, "…" at the end where something was left out. */
export function fit(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text
  let width = 1
  let result = ''
  for (const character of text) {
    width += characterWidth(character)
    if (width > columns) break
    result += character
  }
  return columns < 1 ? '' : `${result}…`
}

function characterWidth(character: string): number {
  if (/\p{M}/u.test(character)) return 0
  return wide.test(character) ? 2 : 1
}
