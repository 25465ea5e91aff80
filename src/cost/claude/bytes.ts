// Steps over JSON as bytes. Each takes the place it starts at and gives the place behind; -1 where the text is not as expected.

export const code = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  open: 0x7b,
  close: 0x7d,
  dash: 0x2d,
  zero: 0x30,
  nine: 0x39,
  a: 0x61,
  c: 0x63,
  d: 0x64,
  i: 0x69,
  m: 0x6d,
  n: 0x6e,
  r: 0x72,
  t: 0x74,
  u: 0x75,
  v: 0x76,
} as const

/** Whether `text` stands at `at`. */
export function spells(buffer: Buffer, at: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index++) if (buffer[at + index] !== text[index]) return false
  return true
}

/** From behind the opening quote to behind the closing one. */
export function skipString(buffer: Buffer, at: number, end: number): number {
  for (let place = at; place < end; place++) {
    const byte = buffer[place]
    if (byte === code.quote) return place + 1
    if (byte === code.backslash) place++
  }
  return -1
}

/** Over an object or a list, from its bracket on. */
export function skipNested(buffer: Buffer, at: number, end: number): number {
  let depth = 0
  for (let place = at; place < end; place++) {
    const byte = buffer[place] as number
    if (byte === code.quote) {
      place = skipString(buffer, place + 1, end) - 1
      if (place < 0) return -1
    } else if (byte === code.open || byte === code.openList) depth++
    else if (byte === code.close || byte === code.closeList) {
      depth--
      if (depth === 0) return place + 1
    }
  }
  return -1
}

/** Over a list of iterations; -1 also where an advisor's calls are among them, which are billed beside the message. */
export function skipIterations(buffer: Buffer, at: number, end: number): number {
  let depth = 0
  for (let place = at; place < end; place++) {
    const byte = buffer[place] as number
    if (byte === code.quote) {
      if (buffer[place + 1] === code.a && buffer[place + 2] === code.d && buffer[place + 3] === code.v) return -1
      place = skipString(buffer, place + 1, end) - 1
      if (place < 0) return -1
    } else if (byte === code.open || byte === code.openList) depth++
    else if (byte === code.close || byte === code.closeList) {
      depth--
      if (depth === 0) return place + 1
    }
  }
  return -1
}

/** From behind the opening quote of what is mostly a UUID to behind the closing one. */
export function skipId(buffer: Buffer, at: number, end: number): number {
  const isUuid =
    buffer[at + 8] === code.dash &&
    buffer[at + 13] === code.dash &&
    buffer[at + 18] === code.dash &&
    buffer[at + 23] === code.dash &&
    buffer[at + 36] === code.quote
  return isUuid && at + 36 < end ? at + 37 : skipString(buffer, at, end)
}

/** Over a number, `true`, `false` or `null`. */
export function skipScalar(buffer: Buffer, at: number, end: number): number {
  let place = at
  while (place < end) {
    const byte = buffer[place] as number
    if (byte === code.comma || byte === code.close || byte === code.closeList) return place === at ? -1 : place
    if (byte <= 0x20 || byte === code.quote || byte === code.open || byte === code.openList) return -1
    place++
  }
  return -1
}

/** Two hashes of 32 bits, started from two others, over bytes. FNV-1a with two primes. */
export function hashLow(buffer: Buffer, start: number, end: number, seed: number): number {
  let hash = seed
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (buffer[at] as number), 0x01000193)
  return hash >>> 0
}
export function hashHigh(buffer: Buffer, start: number, end: number, seed: number): number {
  let hash = seed
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (buffer[at] as number), 0x5bd1e995) ^ (hash >>> 15)
  return hash >>> 0
}

/** A number mixed into a hash. */
export function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ (value >>> 0), 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ Math.floor(value / 0x100000000), 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
