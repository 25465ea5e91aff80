// A log's bytes, one by one or four at a time.

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
