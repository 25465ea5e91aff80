// Steps over JSON as bytes. Each takes the place it starts at and gives the place behind; 0 where the text is not as expected.
import { quote, comma, dash, zero, colon, openList, backslash, closeList, open, close } from './facts'

/** The next place of a byte, which stands somewhere. */
export function find(byte: u8, from: usize): usize {
  const wanted = i8x16.splat(i8(byte))
  let at = from
  while (true) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), wanted))
    if (mask != 0) return at + usize(ctz(mask))
    at += 16
  }
}

/** Whether a text of at least eight letters stands at `at`. */
export function spells(at: usize, text: string): bool {
  const letters = changetype<usize>(text)
  const last = usize(text.length) - 8
  if (v128.any_true(v128.xor(v128.load8x8_u(at), v128.load(letters)))) return false
  for (let place: usize = 8; place < last; place += 8)
    if (v128.any_true(v128.xor(v128.load8x8_u(at + place), v128.load(letters + (place << 1))))) return false
  return !v128.any_true(v128.xor(v128.load8x8_u(at + last), v128.load(letters + (last << 1))))
}

/** Whether a text of four to eight letters stands at `at`. */
export function word(at: usize, text: string): bool {
  const letters = changetype<usize>(text)
  for (let place: usize = 0; place < usize(text.length); place++)
    if (u16(load<u8>(at + place)) != load<u16>(letters + (place << 1))) return false
  return true
}

/** Puts a count of at most 15 digits, or `null` as 0, where it belongs; the place behind it, 0 where something else stands. */
export function count(at: usize, to: usize): usize {
  let value: i64 = 0
  let place = at
  while (true) {
    const digit = load<u8>(place) - zero
    if (digit > 9) break
    value = value * 10 + i64(digit)
    if (++place - at > 15) return 0
  }
  const digits = place - at
  if (digits == 0) {
    store<f64>(to, 0)
    return word(at, 'null') ? at + 4 : 0
  }
  if (digits > 1 && load<u8>(at) == zero) return 0
  store<f64>(to, f64(value))
  return place
}

/** From a key's quote to behind its value; 0 also where the key holds an escape. */
export function member(at: usize, end: usize): usize {
  if (load<u8>(at) != quote) return 0
  let place = at + 1
  while (true) {
    const byte = load<u8>(place)
    if (byte == quote) break
    if (place >= end || byte == backslash) return 0
    place++
  }
  if (load<u8>(place + 1) != colon) return 0
  const value = place + 2
  const first = load<u8>(value)
  if (first == quote) return id(value + 1, end)
  return first == open || first == openList ? nested(value, end) : scalar(value, end)
}

/** From behind the opening quote to behind the closing one. */
export function text(at: usize, end: usize): usize {
  const first = i8x16.splat(0x22)
  const second = i8x16.splat(0x5c)
  let place = at
  while (place < end) {
    const bytes = v128.load(place)
    const mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, first), i8x16.eq(bytes, second)))
    if (mask == 0) {
      place += 16
      continue
    }
    place += usize(ctz(mask))
    if (place >= end) return 0
    if (load<u8>(place) == quote) return place + 1
    place += 2
  }
  return 0
}

/** The same for what is mostly a UUID. */
export function id(at: usize, end: usize): usize {
  const isUuid =
    load<u8>(at + 8) == dash &&
    load<u8>(at + 13) == dash &&
    load<u8>(at + 18) == dash &&
    load<u8>(at + 23) == dash &&
    load<u8>(at + 36) == quote
  return isUuid && at + 36 < end ? at + 37 : text(at, end)
}

/** Over an object or a list, from its bracket on. */
export function nested(at: usize, end: usize): usize {
  let depth: i32 = 0
  let place = at
  while (place < end) {
    const byte = load<u8>(place)
    if (byte == quote) {
      place = text(place + 1, end)
      if (place == 0) return 0
      continue
    }
    if (byte == open || byte == openList) depth++
    else if (byte == close || byte == closeList) {
      depth--
      if (depth == 0) return place + 1
    }
    place++
  }
  return 0
}

/** Over a number, `true`, `false` or `null`. */
export function scalar(at: usize, end: usize): usize {
  let place = at
  while (place < end) {
    const byte = load<u8>(place)
    if (byte == comma || byte == close || byte == closeList) return place == at ? 0 : place
    if (byte <= 0x20 || byte == quote || byte == open || byte == openList) return 0
    place++
  }
  return 0
}
