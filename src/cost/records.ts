// What a scan found, in columns: numbers only, so that a million requests are no objects. Strings are kept once, in tables beside them.
// Neighbours: readers fill it, the index keeps it, dedupe.ts and the views read it.

/** Columns of `numbers`, in this order. */
export const column = { time: 0, input: 1, output: 2, write5m: 3, write1h: 4, read: 5, web: 6 } as const
export const numbersWide = 8
/** Columns of `words`: a key of 64 bits over id and request id (over the id alone where there
 * is no request id), one over id and prompt, places in the tables, flags. */
export const word = { keyLow: 0, keyHigh: 1, shapeLow: 2, shapeHigh: 3, session: 4, model: 5, file: 6, flags: 7 } as const
export const wordsWide = 8

export const flag = { sidechain: 1, fast: 2, batch: 4, usOnly: 8, keyed: 16, chained: 32 } as const

/** One request as a reader hands it over; reused from line to line. */
export interface Found {
  time: number
  input: number
  output: number
  write5m: number
  write1h: number
  read: number
  web: number
  keyLow: number
  keyHigh: number
  shapeLow: number
  shapeHigh: number
  session: number
  model: number
  flags: number
}

export function emptyFound(): Found {
  return {
    time: 0,
    input: 0,
    output: 0,
    write5m: 0,
    write1h: 0,
    read: 0,
    web: 0,
    keyLow: 0,
    keyHigh: 0,
    shapeLow: 0,
    shapeHigh: 0,
    session: 0,
    model: 0,
    flags: 0,
  }
}

/** Columns that grow. A response is written in several lines that follow each other: the one with the most tokens stays, with the first time. */
export class Records {
  numbers: Float64Array<ArrayBuffer>
  words: Int32Array<ArrayBuffer>
  length = 0
  constructor(capacity = 1024) {
    this.numbers = new Float64Array(capacity * numbersWide)
    this.words = new Int32Array(capacity * wordsWide)
  }

  add(found: Found, file: number, from: number): void {
    if (this.length > from && this.#again(found)) return
    if (this.length * numbersWide === this.numbers.length) this.#grow()
    const { numbers, words } = this
    const w = this.length * wordsWide
    words[w] = found.keyLow
    words[w + 1] = found.keyHigh
    words[w + 2] = found.shapeLow
    words[w + 3] = found.shapeHigh
    words[w + 4] = found.session
    words[w + 5] = found.model
    words[w + 6] = file
    words[w + 7] = found.flags
    numbers[this.length * numbersWide] = found.time
    this.#put(this.length * numbersWide, found)
    this.length++
  }

  /** Adds the records `from` to `to` of another table, their places renamed. */
  append(
    other: Pick<Records, 'numbers' | 'words'>,
    from: number,
    to: number,
    renamed: { readonly sessions: Uint32Array; readonly models: Uint32Array; readonly file: number },
  ): void {
    while ((this.length + to - from) * numbersWide > this.numbers.length) this.#grow()
    this.numbers.set(other.numbers.subarray(from * numbersWide, to * numbersWide), this.length * numbersWide)
    this.words.set(other.words.subarray(from * wordsWide, to * wordsWide), this.length * wordsWide)
    const { words } = this
    for (let at = this.length * wordsWide; at < (this.length + to - from) * wordsWide; at += wordsWide) {
      words[at + word.session] = renamed.sessions[words[at + word.session] as number] as number
      words[at + word.model] = renamed.models[words[at + word.model] as number] as number
      words[at + word.file] = renamed.file
    }
    this.length += to - from
  }

  #again(found: Found): boolean {
    const { numbers, words } = this
    const w = (this.length - 1) * wordsWide
    if (words[w + 7] !== found.flags || words[w + 4] !== found.session) return false
    const same =
      (found.flags & flag.keyed) === 0
        ? words[w + 2] === found.shapeLow && words[w + 3] === found.shapeHigh
        : words[w] === found.keyLow && words[w + 1] === found.keyHigh
    if (!same) return false
    const n = (this.length - 1) * numbersWide
    if (found.time < (numbers[n] as number)) numbers[n] = found.time
    const before =
      (numbers[n + 1] as number) +
      (numbers[n + 2] as number) +
      (numbers[n + 3] as number) +
      (numbers[n + 4] as number) +
      (numbers[n + 5] as number)
    if (found.input + found.output + found.write5m + found.write1h + found.read <= before) return true
    words[w + 2] = found.shapeLow
    words[w + 3] = found.shapeHigh
    words[w + 5] = found.model
    this.#put(n, found)
    return true
  }

  #put(n: number, found: Found): void {
    const { numbers } = this
    numbers[n + 1] = found.input
    numbers[n + 2] = found.output
    numbers[n + 3] = found.write5m
    numbers[n + 4] = found.write1h
    numbers[n + 5] = found.read
    numbers[n + 6] = found.web
  }

  #grow(): void {
    const numbers = new Float64Array(this.numbers.length * 2)
    numbers.set(this.numbers)
    this.numbers = numbers
    const words = new Int32Array(this.words.length * 2)
    words.set(this.words)
    this.words = words
  }
}
