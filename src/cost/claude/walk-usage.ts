// The hot path's half for `message.usage`: numbers by class, how the request was served. Unknown keys are stepped over.
import { goesOn, spells, Spelling, type Bytes } from '../bytes.ts'
import { code, countAt, countEnd, skipMember, skipString } from './steps.ts'

/** As the log has it: `written` is the sum of both cache writes, the split may be missing. */
export interface WalkedUsage {
  input: number
  output: number
  written: number
  write5m: number
  write1h: number
  read: number
  web: number
  fast: boolean
  batch: boolean
  usOnly: boolean
}

export function emptyUsage(): WalkedUsage {
  return { input: 0, output: 0, written: 0, write5m: 0, write1h: 0, read: 0, web: 0, fast: false, batch: false, usOnly: false }
}

function clearUsage(usage: WalkedUsage): void {
  usage.input = usage.output = usage.written = usage.write5m = usage.write1h = usage.read = usage.web = 0
  usage.fast = usage.batch = usage.usOnly = false
}

const keys = {
  input: new Spelling('"input_tokens":'),
  output: new Spelling('"output_tokens":'),
  written: new Spelling('"cache_creation_input_tokens":'),
  read: new Spelling('"cache_read_input_tokens":'),
  split: new Spelling('"cache_creation":{'),
  write5m: new Spelling('"ephemeral_5m_input_tokens":'),
  write1h: new Spelling('"ephemeral_1h_input_tokens":'),
  tools: new Spelling('"server_tool_use":{'),
  web: new Spelling('"web_search_requests":'),
  tier: new Spelling('"service_tier":"'),
  geo: new Spelling('"inference_geo":"'),
  speed: new Spelling('"speed":"'),
  iterations: new Spelling('"iterations":['),
  type: new Spelling('"type":'),
}
const { head: inputHead } = keys.input
const { head: outputHead } = keys.output
const { head: cacheHead } = keys.written
const { head: splitHead } = keys.write5m
const { head: serverHead } = keys.tools
const { head: webHead } = keys.web
const { head: geoHead } = keys.geo
const { head: speedHead } = keys.speed
const { head: iterationsHead } = keys.iterations
const { head: typeHead } = keys.type
const values = { fast: new Spelling('fast"'), batch: new Spelling('batch"'), message: new Spelling('"message"') }

/** From the brace to behind the one that closes it; -1 where something needs a closer look. */
export function walkUsage(text: Bytes, open: number, end: number, usage: WalkedUsage): number {
  clearUsage(usage)
  return walkMembers(text, open, end, usage, false)
}

function walkMembers(text: Bytes, open: number, end: number, usage: WalkedUsage, iteration: boolean): number {
  const { bytes } = text
  let at = open + 1
  if (bytes[at] === code.close) return at + 1
  for (;;) {
    at = walkMember(text, at, end, usage, iteration)
    if (at < 0) return -1
    const next = bytes[at]
    if (next === code.comma) at++
    else return next === code.close ? at + 1 : -1
  }
}

/** From a key's quote to behind its value. */
function walkMember(text: Bytes, at: number, end: number, usage: WalkedUsage, iteration: boolean): number {
  const { bytes, words } = text
  const head = words.getInt32(at, true)
  if (head === cacheHead) {
    if (goesOn(words, at, keys.written)) {
      const from = at + keys.written.length
      usage.written = countAt(bytes, from)
      return countEnd(bytes, from)
    }
    if (goesOn(words, at, keys.read)) {
      const from = at + keys.read.length
      usage.read = countAt(bytes, from)
      return countEnd(bytes, from)
    }
    if (goesOn(words, at, keys.split)) return walkSplit(text, at + keys.split.length - 1, end, usage)
  } else if (head === inputHead && goesOn(words, at, keys.input)) {
    const from = at + keys.input.length
    usage.input = countAt(bytes, from)
    return countEnd(bytes, from)
  } else if (head === outputHead && goesOn(words, at, keys.output)) {
    const from = at + keys.output.length
    usage.output = countAt(bytes, from)
    return countEnd(bytes, from)
  } else if (head === serverHead) {
    if (goesOn(words, at, keys.tools)) return walkSplit(text, at + keys.tools.length - 1, end, usage)
    if (goesOn(words, at, keys.tier)) {
      const value = at + keys.tier.length
      usage.batch = spells(words, value, values.batch)
      return skipString(bytes, value, end)
    }
  } else if (head === geoHead && goesOn(words, at, keys.geo)) {
    const value = at + keys.geo.length
    usage.usOnly = bytes[value] === code.u && bytes[value + 1] === code.s && bytes[value + 2] === code.quote
    return skipString(bytes, value, end)
  } else if (head === speedHead && goesOn(words, at, keys.speed)) {
    const value = at + keys.speed.length
    usage.fast = spells(words, value, values.fast)
    return skipString(bytes, value, end)
  } else if (head === iterationsHead && !iteration && goesOn(words, at, keys.iterations)) {
    return walkIterations(text, at + keys.iterations.length - 1, end)
  } else if (head === typeHead && iteration && goesOn(words, at, keys.type)) {
    // Of another model's calls, which are billed beside the message, the careful path knows more.
    const value = at + keys.type.length
    return spells(words, value, values.message) ? value + values.message.length : -1
  }
  return skipMember(bytes, at, end)
}

/** What is written to the cache by how long it stays, and the provider's own tools: the objects in an object of usage that hold what is billed. */
function walkSplit(text: Bytes, open: number, end: number, usage: WalkedUsage): number {
  const { bytes, words } = text
  let at = open + 1
  if (bytes[at] === code.close) return at + 1
  for (;;) {
    const head = words.getInt32(at, true)
    if (head === splitHead && goesOn(words, at, keys.write1h)) {
      at += keys.write1h.length
      usage.write1h = countAt(bytes, at)
      at = countEnd(bytes, at)
    } else if (head === splitHead && goesOn(words, at, keys.write5m)) {
      at += keys.write5m.length
      usage.write5m = countAt(bytes, at)
      at = countEnd(bytes, at)
    } else if (head === webHead && goesOn(words, at, keys.web)) {
      at += keys.web.length
      usage.web = countAt(bytes, at)
      at = countEnd(bytes, at)
    } else at = skipMember(bytes, at, end)
    if (at < 0) return -1
    const next = bytes[at]
    if (next === code.comma) at++
    else return next === code.close ? at + 1 : -1
  }
}

const ignored = emptyUsage()

/** Over a list of iterations, whose messages repeat what the whole says. */
function walkIterations(text: Bytes, open: number, end: number): number {
  const { bytes } = text
  let at = open + 1
  if (bytes[at] === code.closeList) return at + 1
  for (;;) {
    if (bytes[at] !== code.open) return -1
    at = walkMembers(text, at, end, ignored, true)
    if (at < 0) return -1
    const next = bytes[at]
    if (next === code.comma) at++
    else return next === code.closeList ? at + 1 : -1
  }
}
