// What is kept of a line that bills: its keys, its moment, the flags. src/cost/bytes.ts reckons the same keys for lines that went the careful way.
import * as at from './facts'

/** Fills in what follows from the parts that were noted. */
export function settle(): void {
  const tokens5m = load<f64>(at.write5m)
  const tokens1h = load<f64>(at.write1h)
  // What the split leaves of the sum was written for five minutes, as older versions did.
  store<f64>(at.write5m, tokens5m + max(0, load<f64>(at.written) - tokens5m - tokens1h))
  const writes = i64(load<f64>(at.write5m) + tokens1h)
  if (writes + i64(load<f64>(at.input) + load<f64>(at.output) + load<f64>(at.read) + load<f64>(at.web)) == 0) {
    store<u32>(at.flags, load<u32>(at.flags) | at.isEmpty)
    return
  }
  const idFrom = load<u32>(at.idStart)
  const idTo = load<u32>(at.idEnd)
  const low = hashLow(idFrom, idTo, <i32>0x811c9dc5)
  const high = hashHigh(idFrom, idTo, <i32>0x1b873593)
  const requestFrom = load<u32>(at.requestStart)
  const requestTo = load<u32>(at.requestEnd)
  const keyed = requestTo > requestFrom
  store<i32>(at.keyLow, keyed ? hashLow(requestFrom, requestTo, low) : low)
  store<i32>(at.keyHigh, keyed ? hashHigh(requestFrom, requestTo, high) : high)
  const input = i64(load<f64>(at.input))
  const read = i64(load<f64>(at.read))
  store<i32>(at.shapeLow, mix(mix(mix(low, input), read), writes))
  store<i32>(at.shapeHigh, mix(mix(mix(high, writes), input), read))
  store<f64>(at.time, timeAt(load<u32>(at.timeStart), load<u32>(at.timeEnd)))
  const session = same(at.sessionStart, at.lastSession) ? at.sameSession : 0
  const model = same(at.modelStart, at.lastModel) ? at.sameModel : 0
  store<u32>(at.flags, (load<u32>(at.flags) & ~at.usageSeen) | (keyed ? at.isKeyed : 0) | session | model)
}

/** Two hashes of 32 bits over the bytes from `start` to `end`, unlike each other. */
function hashLow(start: usize, end: usize, seed: i32): i32 {
  let hash = seed
  let place = start
  for (; place + 4 <= end; place += 4) {
    hash = (hash ^ load<i32>(place)) * <i32>0x9e3779b1
    hash ^= hash >>> 15
  }
  for (; place < end; place++) hash = (hash ^ i32(load<u8>(place))) * <i32>0x01000193
  return hash ^ (hash >>> 16)
}
function hashHigh(start: usize, end: usize, seed: i32): i32 {
  let hash = seed
  let place = start
  for (; place + 4 <= end; place += 4) {
    hash = (hash ^ load<i32>(place)) * <i32>0x85ebca6b
    hash ^= hash >>> 13
  }
  for (; place < end; place++) hash = ((hash ^ i32(load<u8>(place))) * <i32>0x5bd1e995) ^ (hash >>> 15)
  return hash ^ (hash >>> 14)
}

function mix(hash: i32, value: i64): i32 {
  let mixed = (hash ^ i32(value)) * <i32>0x9e3779b1
  mixed = (mixed ^ (mixed >>> 15) ^ i32(value >> 32)) * <i32>0x85ebca6b
  return mixed ^ (mixed >>> 13)
}

/** Whether the part whose place is noted is the one that was kept last; keeps it where it is not. Long ones are never the same. */
function same(part: usize, last: usize): bool {
  const start = load<u32>(part)
  const length = load<u32>(part + 4) - start
  if (length > at.mostKept) {
    store<u32>(last, 0xffffffff)
    return false
  }
  if (load<u32>(last) == length && memory.compare(start, last + 4, length) == 0) return true
  store<u32>(last, length)
  memory.copy(last + 4, start, length)
  return false
}

/** Milliseconds since 1970 of a time such as `2026-11-23T16:58:40.123Z`; NaN where it is another form or no such moment. */
function timeAt(start: usize, end: usize): f64 {
  if (end - start != 24 || !is(start + 10, 0x54) || !is(start + 19, 0x2e) || !is(start + 23, 0x5a)) return NaN
  if (!is(start + 4, 0x2d) || !is(start + 7, 0x2d) || !is(start + 13, 0x3a) || !is(start + 16, 0x3a)) return NaN
  const year = digits(start, 4)
  const month = digits(start + 5, 2)
  const day = digits(start + 8, 2)
  const hours = digits(start + 11, 2)
  const minutes = digits(start + 14, 2)
  const seconds = digits(start + 17, 2)
  const thousandths = digits(start + 20, 3)
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysOf(month, year)) return NaN
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59 || thousandths < 0) return NaN
  const moment = daysSince1970(year, month, day) * 86_400 + hours * 3_600 + minutes * 60 + seconds
  return f64(moment) * 1000 + f64(thousandths)
}

function is(place: usize, letter: u8): bool {
  return load<u8>(place) == letter
}

/** -1 where one of them is none. */
function digits(start: usize, many: usize): i32 {
  let value: i32 = 0
  for (let place: usize = 0; place < many; place++) {
    const digit = load<u8>(start + place) - at.zero
    if (digit > 9) return -1
    value = value * 10 + i32(digit)
  }
  return value
}

function daysOf(month: i32, year: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

/** Of the Gregorian calendar; years begin with March, so that the odd day comes last. */
function daysSince1970(year: i32, month: i32, day: i32): i64 {
  const from = month > 2 ? year : year - 1
  const era = from / 400
  const ofEra = from - era * 400
  const ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  return i64(era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468)
}
