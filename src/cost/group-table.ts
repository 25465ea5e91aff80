// A hash table from keys of 64 bits to numbers, in typed arrays: open addressing, never more than half full.

export class GroupTable {
  readonly #low: Uint32Array
  readonly #high: Uint32Array
  /** The value plus one; zero is an empty place. */
  readonly #values: Uint32Array
  readonly #mask: number
  constructor(most: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, most * 2)))
    this.#low = new Uint32Array(size)
    this.#high = new Uint32Array(size)
    this.#values = new Uint32Array(size)
    this.#mask = size - 1
  }

  /** The value of a key, which is `next` where the key is new. */
  find(low: number, high: number, next: number): number {
    let place = (low ^ Math.imul(high, 0x9e3779b1)) & this.#mask
    for (;;) {
      const value = this.#values[place] as number
      if (value === 0) {
        this.#low[place] = low
        this.#high[place] = high
        this.#values[place] = next + 1
        return next
      }
      if (this.#low[place] === low && this.#high[place] === high) return value - 1
      place = (place + 1) & this.#mask
    }
  }
}
