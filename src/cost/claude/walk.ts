// The hot path for Claude Code's lines: walks the first keys of a line, leaves at once where nothing is billed, jumps over the content to `usage`
// and walks the rest to the end of the line. It understands compact JSON only; whatever it does not expect is 'odd' and goes to parse.ts.
import { goesOn, spells, Spelling, type Bytes } from '../bytes.ts'
import { code, skipId, skipMember, skipScalar, skipString } from './steps.ts'
import { walkUsage, type WalkedUsage } from './walk-usage.ts'

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

const keys = {
  parent: new Spelling('"parentUuid":"'),
  uuid: new Spelling('"uuid":"'),
  sidechain: new Spelling('"isSidechain":'),
  message: new Spelling('"message":{'),
  request: new Spelling('"requestId":"'),
  session: new Spelling('"sessionId":"'),
  session2: new Spelling('"session_id":"'),
  time: new Spelling('"timestamp":"'),
  cwd: new Spelling('"cwd":"'),
  type: new Spelling('"type":"'),
  model: new Spelling('"model":"'),
  id: new Spelling('"id":"'),
  role: new Spelling('"role":"'),
  content: new Spelling('"content":['),
  usage: new Spelling('"usage":{'),
}
const { head: parentHead } = keys.parent
const { head: uuidHead } = keys.uuid
const { head: sidechainHead } = keys.sidechain
const { head: messageHead } = keys.message
const { head: requestHead } = keys.request
const { head: sessionHead } = keys.session
const { head: timeHead } = keys.time
const { head: cwdHead } = keys.cwd
const { head: typeHead } = keys.type
const { head: modelHead } = keys.model
const { head: idHead } = keys.id
const { head: roleHead } = keys.role
const { head: contentHead } = keys.content
const { head: usageHead } = keys.usage

const usageKey = Buffer.from('"usage":{')
const values = {
  assistant: new Spelling('assistant"'),
  user: new Spelling('user"'),
  progress: new Spelling('progress"'),
  total: new Spelling('cost-state"'),
}

/** Judges the line from `start` to `end` (without its line feed) and notes its parts. */
export function walk(text: Bytes, start: number, end: number, line: Walked): Outcome {
  const { bytes, words } = text
  if (bytes[start] !== code.open || bytes[end - 1] !== code.close) return 'odd'
  line.hasUsage = false
  line.requestEnd = line.sessionEnd = line.timeEnd = line.cwdEnd = line.idEnd = line.modelEnd = 0
  line.sidechain = false
  let billed = false
  let at = start + 1
  for (;;) {
    const head = words.getInt32(at, true)
    if (head === typeHead && goesOn(words, at, keys.type)) {
      const value = at + keys.type.length
      if (!spells(words, value, values.assistant))
        return spells(words, value, values.progress) || spells(words, value, values.total) ? 'odd' : passed(text, start, end)
      billed = true
      at = value + values.assistant.length
    } else if (head === messageHead && goesOn(words, at, keys.message)) {
      at = walkMessage(text, at + keys.message.length - 1, end, line)
      if (at === leave) return passed(text, start, end)
    } else if (head === sidechainHead && goesOn(words, at, keys.sidechain)) {
      at += keys.sidechain.length
      line.sidechain = bytes[at] === code.t
      at = skipScalar(bytes, at, end)
    } else at = walkMember(text, at, end, head, line)
    if (at < 0) return 'odd'
    const next = bytes[at]
    if (next === code.comma) at++
    else if (next === code.close && at + 1 === end) return billed && line.hasUsage ? 'bill' : 'odd'
    else return 'odd'
  }
}

/** From the quote of a key of the line's own to behind its value; where it is one that matters, its place is noted. */
function walkMember({ bytes, words }: Bytes, at: number, end: number, head: number, line: Walked): number {
  if (head === uuidHead && goesOn(words, at, keys.uuid)) return skipId(bytes, at + keys.uuid.length, end)
  if (head === parentHead && goesOn(words, at, keys.parent)) return skipId(bytes, at + keys.parent.length, end)
  if (head === sessionHead && goesOn(words, at, keys.session)) {
    line.sessionStart = at + keys.session.length
    const behind = skipId(bytes, line.sessionStart, end)
    line.sessionEnd = behind - 1
    return behind
  }
  if (head === sessionHead && line.sessionEnd === 0 && goesOn(words, at, keys.session2)) {
    line.sessionStart = at + keys.session2.length
    const behind = skipId(bytes, line.sessionStart, end)
    line.sessionEnd = behind - 1
    return behind
  }
  if (head === timeHead && goesOn(words, at, keys.time)) {
    line.timeStart = at + keys.time.length
    const behind = skipString(bytes, line.timeStart, end)
    line.timeEnd = behind - 1
    return behind
  }
  if (head === requestHead && goesOn(words, at, keys.request)) {
    line.requestStart = at + keys.request.length
    const behind = skipString(bytes, line.requestStart, end)
    line.requestEnd = behind - 1
    return behind
  }
  if (head === cwdHead && goesOn(words, at, keys.cwd)) {
    line.cwdStart = at + keys.cwd.length
    const behind = skipString(bytes, line.cwdStart, end)
    line.cwdEnd = behind - 1
    return behind
  }
  return skipMember(bytes, at, end)
}

/** A user's message: nothing in it is billed. */
const leave = -2

/** From the message's brace to behind the one that closes it; -1 where it is odd. */
function walkMessage(text: Bytes, open: number, end: number, line: Walked): number {
  const { bytes, words } = text
  let at = open + 1
  for (;;) {
    const head = words.getInt32(at, true)
    if (head === modelHead && goesOn(words, at, keys.model)) {
      line.modelStart = at + keys.model.length
      at = skipString(bytes, line.modelStart, end)
      line.modelEnd = at - 1
    } else if (head === idHead && goesOn(words, at, keys.id)) {
      line.idStart = at + keys.id.length
      at = skipString(bytes, line.idStart, end)
      line.idEnd = at - 1
    } else if (head === roleHead && goesOn(words, at, keys.role)) {
      const value = at + keys.role.length
      if (spells(words, value, values.user)) return leave
      at = skipString(bytes, value, end)
    } else if (head === contentHead && !line.hasUsage && goesOn(words, at, keys.content)) {
      at = jump(text, at + keys.content.length - 1, end)
      if (at < 0) return -1
      continue
    } else if (head === usageHead && goesOn(words, at, keys.usage)) {
      line.hasUsage = true
      at = walkUsage(text, at + keys.usage.length - 1, end, line.usage)
    } else at = skipMember(bytes, at, end)
    if (at < 0) return -1
    const next = bytes[at]
    if (next === code.comma) at++
    else return next === code.close ? at + 1 : -1
  }
}

/**
 * From the content's bracket to the key behind the content, found from the line's end by `"usage"`. Inside a string its quotes would be escaped; in a
 * tool's input it would lie deeper, and the walk from there would not end with the line. Between it and the content stand scalars only.
 */
function jump({ bytes: buffer }: Bytes, content: number, end: number): number {
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

const joined = new Spelling('"type":"assistant"')
const joinedBytes = Buffer.from('"type":"assistant"')
const tail = 600
/** How far the end of `joined` can move on from a byte (Horspool). */
const steps = new Uint8Array(256).fill(joined.length)
for (let at = 0; at < joined.length - 1; at++) steps[joinedBytes[at] as number] = joined.length - 1 - at

/** A line that bills nothing; but one that was torn by a crash and went on with the next line is read with care. */
function passed({ bytes, words }: Bytes, start: number, end: number): Outcome {
  const last = joined.length - 1
  for (let at = Math.max(start + 400, end - tail) + last; at < end; at += steps[bytes[at] as number] as number)
    if (bytes[at] === code.quote && spells(words, at - last, joined)) return 'odd'
  return 'skip'
}
