// The hot path for Claude Code's lines: walks the first keys of a line, leaves at once where nothing is billed, jumps over the content to `usage`
// and walks the rest to the end of the line. It understands compact JSON only; whatever it does not expect is 'odd' and goes to parse.ts.
import { code, skipId, skipNested, skipScalar, skipString, spells } from './bytes.ts'
import { clearUsage, walkUsage, type WalkedUsage } from './walk-usage.ts'

export type Outcome = 'skip' | 'bill' | 'odd'

/** Where the parts of a line stand (end 0: not there), and what was used. Reused from line to line. */
export interface Walked {
  readonly usage: WalkedUsage
  hasUsage: boolean
  idStart: number
  idEnd: number
  requestStart: number
  requestEnd: number
  modelStart: number
  modelEnd: number
  sessionStart: number
  sessionEnd: number
  timeStart: number
  timeEnd: number
  cwdStart: number
  cwdEnd: number
  sidechain: boolean
}

const usageKey = Buffer.from('"usage":{')
const assistant = Buffer.from('assistant"')
const oddTypes = ['progress"', 'cost-state"'].map((text) => Buffer.from(text))
const user = Buffer.from('user"')
const names = {
  type: Buffer.from('type'),
  message: Buffer.from('message'),
  requestId: Buffer.from('requestId'),
  sessionId: Buffer.from('sessionId'),
  timestamp: Buffer.from('timestamp'),
  isSidechain: Buffer.from('isSidechain'),
  cwd: Buffer.from('cwd'),
}

/** Judges the line in `buffer` from `start` to `end` (without its line feed) and notes its parts. */
export function walk(buffer: Buffer, start: number, end: number, line: Walked): Outcome {
  if (buffer[start] !== code.open || buffer[end - 1] !== code.close) return 'odd'
  line.hasUsage = false
  line.requestEnd = line.sessionEnd = line.timeEnd = line.cwdEnd = line.idEnd = line.modelEnd = 0
  line.sidechain = false
  let billed = false
  let at = start + 1
  for (;;) {
    const key = at + 1
    const keyEnd = keyAt(buffer, at, end)
    if (keyEnd < 0) return 'odd'
    at = keyEnd + 2
    const length = keyEnd - key
    const first = buffer[at]
    if (first === code.quote) {
      const value = at + 1
      if (length === 4 && spells(buffer, key, names.type)) {
        if (spells(buffer, value, assistant)) billed = true
        else return oddTypes.some((type) => spells(buffer, value, type)) ? 'odd' : passed(buffer, start, end)
      }
      at = skipId(buffer, value, end)
      if (at < 0) return 'odd'
      if (length === 9 || length === 3) noteString(buffer, key, length, value, at - 1, line)
    } else if (first === code.open && length === 7 && spells(buffer, key, names.message)) {
      at = walkMessage(buffer, at, end, line)
      if (at === leave) return passed(buffer, start, end)
    } else if (first === code.open || first === code.openList) {
      at = skipNested(buffer, at, end)
    } else {
      if (length === 11 && spells(buffer, key, names.isSidechain)) line.sidechain = first === code.t
      at = skipScalar(buffer, at, end)
    }
    if (at < 0) return 'odd'
    const next = buffer[at]
    if (next === code.comma) at++
    else if (next === code.close && at + 1 === end) return billed ? (line.hasUsage ? 'bill' : 'odd') : 'odd'
    else return 'odd'
  }
}

/** The place of the quote that ends the key whose quote stands at `at`; less than 0 where there is no plain key with a colon. */
function keyAt(buffer: Buffer, at: number, end: number): number {
  if (buffer[at] !== code.quote) return -1
  let place = at + 1
  while (buffer[place] !== code.quote) {
    if (place >= end || buffer[place] === code.backslash) return -1
    place++
  }
  return buffer[place + 1] === code.colon ? place : -1
}

function noteString(buffer: Buffer, key: number, length: number, start: number, end: number, line: Walked): void {
  if (length === 9) {
    if (spells(buffer, key, names.sessionId)) {
      line.sessionStart = start
      line.sessionEnd = end
    } else if (spells(buffer, key, names.timestamp)) {
      line.timeStart = start
      line.timeEnd = end
    } else if (spells(buffer, key, names.requestId)) {
      line.requestStart = start
      line.requestEnd = end
    }
  } else if (length === 3 && spells(buffer, key, names.cwd)) {
    line.cwdStart = start
    line.cwdEnd = end
  }
}

/** A user's message: nothing in it is billed. */
const leave = -2

/** From the message's brace to behind the one that closes it; -1 where it is odd. */
function walkMessage(buffer: Buffer, open: number, end: number, line: Walked): number {
  let at = open + 1
  for (;;) {
    const key = at + 1
    const keyEnd = keyAt(buffer, at, end)
    if (keyEnd < 0) return -1
    at = keyEnd + 2
    const length = keyEnd - key
    const first = buffer[at]
    if (first === code.quote) {
      const value = at + 1
      if (length === 4 && buffer[key] === code.r && spells(buffer, value, user)) return leave
      at = skipString(buffer, value, end)
      if (length === 2 && buffer[key] === code.i) {
        line.idStart = value
        line.idEnd = at - 1
      } else if (length === 5 && buffer[key] === code.m) {
        line.modelStart = value
        line.modelEnd = at - 1
      }
    } else if (first === code.openList && length === 7 && buffer[key] === code.c && !line.hasUsage) {
      at = jump(buffer, at, end)
      if (at < 0) return -1
      continue
    } else if (first === code.open && length === 5 && buffer[key] === code.u) {
      clearUsage(line.usage)
      line.hasUsage = true
      at = walkUsage(buffer, at, end, line.usage)
    } else if (first === code.open || first === code.openList) at = skipNested(buffer, at, end)
    else at = skipScalar(buffer, at, end)
    if (at < 0) return -1
    const next = buffer[at]
    if (next === code.comma) at++
    else return next === code.close ? at + 1 : -1
  }
}

/**
 * From the content's bracket to the key behind the content, found from the line's end by `"usage"`. Inside a string its quotes would be escaped; in a
 * tool's input it would lie deeper, and the walk from there would not end with the line. Between it and the content stand scalars only.
 */
function jump(buffer: Buffer, content: number, end: number): number {
  const found = buffer.lastIndexOf(usageKey, end - usageKey.length)
  if (found <= content) return -1
  let at = found - 1
  if (buffer[at] !== code.comma) return -1
  for (const least = Math.max(content, found - 600); at > least; at--) {
    const byte = buffer[at] as number
    if (byte === code.closeList) return buffer[at + 1] === code.comma ? at + 2 : -1
    if (byte <= 0x20 || byte === code.open || byte === code.close || byte === code.openList || byte === code.backslash) return -1
  }
  return -1
}

const joined = Buffer.from('"type":"assistant"')
const tail = 600
/** How far the end of `joined` can move on from a byte (Horspool). */
const steps = new Uint8Array(256).fill(joined.length)
for (let at = 0; at < joined.length - 1; at++) steps[joined[at] as number] = joined.length - 1 - at

/** A line that bills nothing; but one that was torn by a crash and went on with the next line is read with care. */
function passed(buffer: Buffer, start: number, end: number): Outcome {
  const last = joined.length - 1
  for (let at = Math.max(start + 400, end - tail) + last; at < end; at += steps[buffer[at] as number] as number)
    if (buffer[at] === code.quote && spells(buffer, at - last, joined)) return 'odd'
  return 'skip'
}
