// A log's bytes, one by one or four at a time: whether a key of 24 bytes stands somewhere takes six steps, and which key it may be one.

export interface Bytes {
  readonly bytes: Buffer
  /** The same bytes. At least `slack` of them lie behind every line's end. */
  readonly words: DataView
}
export const slack = 64

export function bytesOf(length: number): Bytes {
  const bytes = Buffer.allocUnsafeSlow(length + slack)
  return { bytes, words: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}

/** A text by itself. */
export function bytesOfText(text: string): Bytes & { readonly length: number } {
  const length = Buffer.byteLength(text)
  const made = bytesOf(length)
  made.bytes.write(text)
  return { ...made, length }
}

/** A text of four bytes or more that is looked for at a place. */
export class Spelling {
  readonly length: number
  /** Its first four bytes, as `words.getInt32(at, true)` gives them. */
  readonly head: number
  /** The words from there on, and the last one, which may overlap the one before. */
  readonly rest: Int32Array
  readonly tail: number
  constructor(text: string) {
    const bytes = Buffer.from(text)
    this.length = bytes.length
    this.head = bytes.readInt32LE(0)
    this.rest = Int32Array.from({ length: Math.max(0, Math.ceil(bytes.length / 4) - 2) }, (_, at) => bytes.readInt32LE(4 * at + 4))
    this.tail = bytes.readInt32LE(bytes.length - 4)
  }
}

/** Whether it stands at `at`, where its head was seen already. */
export function goesOn(words: DataView, at: number, { rest, length, tail }: Spelling): boolean {
  if (words.getInt32(at + length - 4, true) !== tail) return false
  for (let index = 0; index < rest.length; index++) if (words.getInt32(at + 4 * index + 4, true) !== rest[index]) return false
  return true
}

/** Whether it stands at `at`. */
export function spells(words: DataView, at: number, spelling: Spelling): boolean {
  return words.getInt32(at, true) === spelling.head && goesOn(words, at, spelling)
}

/** Two hashes of 32 bits over the bytes from `start` to `end`, unlike each other. Signed, since V8 keeps such numbers small. */
export function hashLow({ bytes, words }: Bytes, start: number, end: number, seed: number): number {
  let hash = seed
  let at = start
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ words.getInt32(at, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return hash ^ (hash >>> 16)
}
export function hashHigh({ bytes, words }: Bytes, start: number, end: number, seed: number): number {
  let hash = seed
  let at = start
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ words.getInt32(at, true), 0x85ebca6b)
    hash ^= hash >>> 13
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x5bd1e995) ^ (hash >>> 15)
  return hash ^ (hash >>> 14)
}

/** A number mixed into a hash. */
export function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ Math.floor(value / 0x100000000), 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}
