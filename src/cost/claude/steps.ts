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
  dot: 0x2e,
  zero: 0x30,
  nine: 0x39,
  T: 0x54,
  Z: 0x5a,
  a: 0x61,
  c: 0x63,
  i: 0x69,
  m: 0x6d,
  n: 0x6e,
  r: 0x72,
  s: 0x73,
  t: 0x74,
  u: 0x75,
} as const

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

/** From a key's quote to behind its value; -1 also where the key holds an escape. */
export function skipMember(buffer: Buffer, at: number, end: number): number {
  const value = valueAt(buffer, at, end)
  if (value < 0) return -1
  const first = buffer[value]
  if (first === code.quote) return skipId(buffer, value + 1, end)
  return first === code.open || first === code.openList ? skipNested(buffer, value, end) : skipScalar(buffer, value, end)
}

/** From a key's quote to its value. */
export function valueAt(buffer: Buffer, at: number, end: number): number {
  if (buffer[at] !== code.quote) return -1
  let place = at + 1
  while (buffer[place] !== code.quote) {
    if (place >= end || buffer[place] === code.backslash) return -1
    place++
  }
  return buffer[place + 1] === code.colon ? place + 2 : -1
}

/** The count that stands at a place; 0 for `null`. */
export function countAt(buffer: Buffer, at: number): number {
  let value = 0
  let place = at
  for (let digit = (buffer[at] as number) - code.zero; digit >= 0 && digit <= 9; digit = (buffer[place] as number) - code.zero) {
    value = value * 10 + digit
    place++
  }
  return value
}

/** Behind a count of at most 15 digits, or `null`; -1 where something else stands. */
export function countEnd(buffer: Buffer, at: number): number {
  let place = at
  while ((buffer[place] as number) >= code.zero && (buffer[place] as number) <= code.nine) place++
  const digits = place - at
  if (digits === 0) return buffer[at] === code.n ? skipScalar(buffer, at, at + 5) : -1
  return digits > 15 || (digits > 1 && buffer[at] === code.zero) ? -1 : place
}
