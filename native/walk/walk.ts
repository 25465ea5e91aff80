// The hot path for Claude Code's lines, compiled to WebAssembly: finds line feeds, walks the first keys of a line, leaves at once where nothing is
// billed, jumps over the content to `usage` and walks the rest to the end of the line. It understands compact JSON only; whatever it does not
// expect is 'odd' and goes to parse.ts. Memory: one page of its own (texts, and below them what it found), then the bytes of a log.
import {
  skip,
  bill,
  odd,
  lineStart,
  lineEnd,
  linesPassed,
  idStart,
  idEnd,
  requestStart,
  modelStart,
  modelEnd,
  sessionStart,
  sessionEnd,
  timeStart,
  cwdStart,
  flags,
  input,
  read,
  ignored,
  isSidechain,
  usageSeen,
  quote,
  comma,
  openList,
  backslash,
  closeList,
  open,
  close,
  lineFeed,
} from './facts'
import { find, spells, word, member, text, id, scalar } from './json'
import { settle } from './record'
import { usage } from './usage'

/** The next line from `at` on that has to be looked at: bill or odd, with `lineStart` and `lineEnd`; skip where there is none before `filled`, where
 * a line feed stands, and then `lineStart` is where the last, unended line begins. `search`: no line feed stands before it. */
export function next(at: usize, search: usize, filled: usize): i32 {
  let passed: i32 = 0
  let start = at
  let from = search
  while (true) {
    const end = find(lineFeed, from)
    if (end >= filled) break
    passed++
    const outcome = end > start ? walk(start, end) : skip
    if (outcome != skip) {
      store<u32>(lineStart, u32(start))
      store<u32>(lineEnd, u32(end))
      store<i32>(linesPassed, passed)
      return outcome
    }
    start = from = end + 1
  }
  store<u32>(lineStart, u32(start))
  store<i32>(linesPassed, passed)
  return skip
}

/** A last line without a line feed. */
export function only(start: usize, end: usize): i32 {
  return walk(start, end)
}

/** Judges the line from `start` to `end` (without its line feed) and notes its parts. */
function walk(start: usize, end: usize): i32 {
  if (load<u8>(start) != open || load<u8>(end - 1) != close) return odd
  memory.fill(idStart, 0, ignored - idStart)
  let billed = false
  let at: usize = start + 1
  while (true) {
    const second = load<u8>(at + 1)
    let behind: usize = 0
    if (second == 0x74) {
      // t
      if (word(at, '"type":"')) {
        const value = at + 8
        if (!spells(value, 'assistant"')) return spells(value, 'progress"') || spells(value, 'cost-state"') ? odd : over(start, end)
        billed = true
        behind = value + 10
      } else if (spells(at, '"timestamp":"')) behind = noted(at + 13, end, timeStart)
    } else if (second == 0x6d) {
      // m
      if (spells(at, '"message":{')) {
        behind = message(at + 10, end)
        if (behind == usersOwn) return over(start, end)
        if (behind == 0) return odd
      }
    } else if (second == 0x69) {
      // i
      if (spells(at, '"isSidechain":')) {
        if (load<u8>(at + 14) == 0x74) store<u32>(flags, load<u32>(flags) | isSidechain)
        behind = scalar(at + 14, end)
        if (behind == 0) return odd
      }
    } else if (second == 0x70) {
      // p
      if (spells(at, '"parentUuid":"')) behind = id(at + 14, end)
    } else if (second == 0x75) {
      // u
      if (word(at, '"uuid":"')) behind = id(at + 8, end)
    } else if (second == 0x73) {
      // s
      if (spells(at, '"sessionId":"')) behind = noted(at + 13, end, sessionStart)
      else if (load<u32>(sessionEnd) == 0 && spells(at, '"session_id":"')) behind = noted(at + 14, end, sessionStart)
    } else if (second == 0x72) {
      // r
      if (spells(at, '"requestId":"')) behind = noted(at + 13, end, requestStart)
    } else if (second == 0x63) {
      // c
      if (word(at, '"cwd":"')) behind = noted(at + 7, end, cwdStart)
    }
    if (behind == 0) behind = member(at, end)
    if (behind == 0) return odd
    const then = load<u8>(behind)
    if (then == comma) at = behind + 1
    else {
      if (then != close || behind + 1 != end || !billed || !hasUsage()) return odd
      // The careful path knows ids without their escapes.
      if (escaped(idStart) || escaped(requestStart)) return odd
      settle()
      return bill
    }
  }
}

/** From behind the opening quote of a text whose place is kept to behind its end. */
function noted(at: usize, end: usize, place: usize): usize {
  const behind = id(at, end)
  store<u32>(place, u32(at))
  store<u32>(place + 4, u32(behind - 1))
  return behind
}

function hasUsage(): bool {
  return (load<u32>(flags) & usageSeen) != 0
}

/** A user's message: nothing in it is billed. */
const usersOwn: usize = 1

/** From the message's brace to behind the one that closes it; 0 where it is odd. */
function message(brace: usize, end: usize): usize {
  let at = brace + 1
  while (true) {
    const second = load<u8>(at + 1)
    let behind: usize = 0
    if (second == 0x6d) {
      if (spells(at, '"model":"')) {
        behind = text(at + 9, end)
        store<u32>(modelStart, u32(at + 9))
        store<u32>(modelEnd, u32(behind - 1))
      }
    } else if (second == 0x69) {
      if (word(at, '"id":"')) {
        behind = text(at + 6, end)
        store<u32>(idStart, u32(at + 6))
        store<u32>(idEnd, u32(behind - 1))
      }
    } else if (second == 0x72) {
      if (word(at, '"role":"')) {
        if (word(at + 8, 'user"')) return usersOwn
        behind = text(at + 8, end)
      }
    } else if (second == 0x63) {
      if (!hasUsage() && spells(at, '"content":[')) {
        at = jump(at + 10, end)
        if (at == 0) return 0
        continue
      }
    } else if (second == 0x75) {
      if (spells(at, '"usage":{')) {
        store<u32>(flags, (load<u32>(flags) & isSidechain) | usageSeen)
        behind = usage(at + 8, end, false)
        if (behind == 0) return 0
      }
    }
    if (behind == 0) behind = member(at, end)
    if (behind == 0) return 0
    const then = load<u8>(behind)
    if (then == comma) at = behind + 1
    else return then == close ? behind + 1 : 0
  }
}

/**
 * From the content's bracket to the key behind the content, found from the line's end by `"usage"`. Inside a string its quotes would be escaped; in a
 * tool's input it would lie deeper, and the walk from there would not end with the line. Between it and the content stand scalars only.
 */
function jump(content: usize, end: usize): usize {
  const found = lastUsage(content, end)
  if (found <= content) return 0
  let at = found - 1
  if (load<u8>(at) != comma) return 0
  const least = max(content, found - 600)
  for (at--; at > least; at--) {
    const byte = load<u8>(at)
    if (byte == closeList) return load<u8>(at + 1) == comma ? at + 2 : 0
    if (byte <= 0x20 || byte == open || byte == close || byte == openList || byte == backslash) return 0
  }
  return 0
}

/** The last `"usage":{` behind `least`; 0 where there is none. */
function lastUsage(least: usize, end: usize): usize {
  const first = i8x16.splat(0x22)
  const second = i8x16.splat(0x75)
  let at = end - 25
  while (true) {
    let mask = i8x16.bitmask(v128.and(i8x16.eq(v128.load(at), first), i8x16.eq(v128.load(at + 1), second)))
    while (mask != 0) {
      const place = 31 - clz(mask)
      if (spells(at + usize(place), '"usage":{')) return at + usize(place)
      mask &= ~(1 << place)
    }
    if (at <= least + 16) return 0
    at -= 16
  }
}

/** A line that bills nothing; but one that was torn by a crash and went on with the next line is read with care. */
function over(start: usize, end: usize): i32 {
  const first = i8x16.splat(0x22)
  const second = i8x16.splat(0x74)
  const last = end - 18
  for (let at = max(start + 400, end - 600); at <= last; at += 16) {
    let mask = i8x16.bitmask(v128.and(i8x16.eq(v128.load(at), first), i8x16.eq(v128.load(at + 1), second)))
    while (mask != 0) {
      const place = at + usize(ctz(mask))
      if (place <= last && spells(place, '"type":"assistant"')) return odd
      mask &= mask - 1
    }
  }
  return skip
}

/** Whether a part whose place is noted holds an escape. */
function escaped(part: usize): bool {
  const end = load<u32>(part + 4)
  for (let at: usize = load<u32>(part); at < end; at++) if (load<u8>(at) == backslash) return true
  return false
}
