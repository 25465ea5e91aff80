// A hash table from keys of 64 bits to numbers, in typed arrays: open addressing, never more than two thirds full.

/** Of a place: the key's halves, and the value plus one; zero is an empty place. They lie side by side, since each search is at another place. */
const wide = 4

export class GroupTable {
  readonly #places: Int32Array
  readonly #mask: number
  constructor(most: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, most * 1.5)))
    this.#places = new Int32Array(size * wide)
    this.#mask = size - 1
  }

  /** The value of a key, which is `next` where the key is new. */
  find(low: number, high: number, next: number): number {
    const places = this.#places
    const mask = this.#mask
    for (let place = (low ^ Math.imul(high, 0x9e3779b1)) & mask; ; place = (place + 1) & mask) {
      const at = place * wide
      const value = places[at + 2] as number
      if (value === 0) {
        places[at] = low
        places[at + 1] = high
        places[at + 2] = next + 1
        return next
      }
      if (places[at] === low && places[at + 1] === high) return value - 1
    }
  }
}
