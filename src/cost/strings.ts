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

/** The place of the string whose bytes were seen last: most lines of a file repeat it, and then no string is made. */
export class LastSeen {
  readonly #strings: Strings
  readonly #bytes = Buffer.alloc(1024)
  #length = -1
  #place = 0
  constructor(strings: Strings) {
    this.#strings = strings
  }

  place(buffer: Buffer, start: number, end: number): number {
    const length = end - start
    const bytes = this.#bytes
    if (length === this.#length) {
      let at = 0
      while (at < length && buffer[start + at] === bytes[at]) at++
      if (at === length) return this.#place
    }
    this.#place = this.#strings.place(readString(buffer, start, end))
    this.#length = length <= bytes.length ? length : -1
    if (this.#length >= 0) buffer.copy(bytes, 0, start, end)
    return this.#place
  }
}
