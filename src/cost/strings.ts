// Strings that recur (sessions, models, folders), each kept once and named by a number.

import { bytesOf, type Bytes } from './bytes.ts'

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
  readonly #last = bytesOf(most)
  #length = -1
  #place = 0
  constructor(strings: Strings) {
    this.#strings = strings
  }

  place(text: Bytes, start: number, end: number): number {
    const length = end - start
    if (length === this.#length && this.#same(text, start, length)) return this.#place
    this.#place = this.#strings.place(readString(text.bytes, start, end))
    this.#length = length <= most ? length : -1
    if (this.#length >= 0) text.bytes.copy(this.#last.bytes, 0, start, end)
    return this.#place
  }

  #same({ bytes, words }: Bytes, start: number, length: number): boolean {
    const last = this.#last
    let at = 0
    for (; at + 4 <= length; at += 4) if (words.getInt32(start + at, true) !== last.words.getInt32(at, true)) return false
    for (; at < length; at++) if (bytes[start + at] !== last.bytes[at]) return false
    return true
  }
}
const most = 1024
