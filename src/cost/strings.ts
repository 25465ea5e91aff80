// Strings that recur (sessions, models, folders), each kept once and named by a number.

export class Strings {
  readonly list: string[]
  readonly #places = new Map<string, number>()
  constructor(list: readonly string[] = []) {
    this.list = [...list]
    for (const [place, text] of list.entries()) this.#places.set(text, place)
  }

  place(text: string): number {
    const known = this.#places.get(text)
    if (known !== undefined) return known
    const place = this.list.push(text) - 1
    this.#places.set(text, place)
    return place
  }
}

/** The text between the quotes of a JSON string. */
export function readString(buffer: Buffer, start: number, end: number): string {
  const text = buffer.toString('utf8', start, end)
  if (!text.includes('\\')) return text
  try {
    return String(JSON.parse(`"${text}"`))
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}
