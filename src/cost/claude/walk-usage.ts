// The hot path's half for `message.usage`: numbers by class, how the request was served. Unknown keys are stepped over.
import { code, skipIterations, skipNested, skipScalar, skipString, spells } from './bytes.ts'

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

export function clearUsage(usage: WalkedUsage): void {
  usage.input = usage.output = usage.written = usage.write5m = usage.write1h = usage.read = usage.web = 0
  usage.fast = usage.batch = usage.usOnly = false
}

const names = {
  input: Buffer.from('input_tokens'),
  output: Buffer.from('output_tokens'),
  written: Buffer.from('cache_creation_input_tokens'),
  read: Buffer.from('cache_read_input_tokens'),
  write5m: Buffer.from('ephemeral_5m_input_tokens'),
  write1h: Buffer.from('ephemeral_1h_input_tokens'),
  web: Buffer.from('web_search_requests'),
  split: Buffer.from('cache_creation'),
  tool: Buffer.from('server_tool_use'),
  tier: Buffer.from('service_tier'),
  geo: Buffer.from('inference_geo'),
  speed: Buffer.from('speed'),
  iterations: Buffer.from('iterations'),
}
const values = { fast: Buffer.from('fast"'), batch: Buffer.from('batch"'), us: Buffer.from('us"') }

/** From the brace to behind the one that closes it; -1 where something needs a closer look. */
export function walkUsage(buffer: Buffer, open: number, end: number, usage: WalkedUsage): number {
  let at = open + 1
  if (buffer[at] === code.close) return at + 1
  for (;;) {
    if (buffer[at] !== code.quote) return -1
    const key = at + 1
    let keyEnd = key
    while (buffer[keyEnd] !== code.quote) {
      if (keyEnd >= end || buffer[keyEnd] === code.backslash) return -1
      keyEnd++
    }
    at = keyEnd + 1
    if (buffer[at] !== code.colon) return -1
    at++
    const length = keyEnd - key
    const first = buffer[at] as number
    if (first >= code.zero && first <= code.nine) {
      const digits = at
      let value = 0
      for (let digit = first - code.zero; digit >= 0 && digit <= 9; digit = (buffer[at] as number) - code.zero) {
        value = value * 10 + digit
        at++
      }
      if (at - digits > 15) return -1
      noteNumber(buffer, key, length, value, usage)
    } else if (first === code.quote) {
      if (length === 5 && spells(buffer, key, names.speed)) usage.fast = spells(buffer, at + 1, values.fast)
      else if (length === 12 && spells(buffer, key, names.tier)) usage.batch = spells(buffer, at + 1, values.batch)
      else if (length === 13 && spells(buffer, key, names.geo)) usage.usOnly = spells(buffer, at + 1, values.us)
      at = skipString(buffer, at + 1, end)
    } else if (first === code.open) {
      const inside = (length === 14 && spells(buffer, key, names.split)) || (length === 15 && spells(buffer, key, names.tool))
      at = inside ? walkUsage(buffer, at, end, usage) : skipNested(buffer, at, end)
    } else if (first === code.openList) {
      const iterations = length === 10 && spells(buffer, key, names.iterations)
      at = iterations ? skipIterations(buffer, at, end) : skipNested(buffer, at, end)
    } else if (first === code.n) at = skipScalar(buffer, at, end)
    else return -1
    if (at < 0) return -1
    const next = buffer[at]
    if (next === code.comma) at++
    else return next === code.close ? at + 1 : -1
  }
}

function noteNumber(buffer: Buffer, key: number, length: number, value: number, usage: WalkedUsage): void {
  if (length === 12) {
    if (spells(buffer, key, names.input)) usage.input = value
  } else if (length === 13) {
    if (spells(buffer, key, names.output)) usage.output = value
  } else if (length === 23) {
    if (spells(buffer, key, names.read)) usage.read = value
  } else if (length === 27) {
    if (spells(buffer, key, names.written)) usage.written = value
  } else if (length === 25) {
    if (spells(buffer, key, names.write5m)) usage.write5m = value
    else if (spells(buffer, key, names.write1h)) usage.write1h = value
  } else if (length === 19 && spells(buffer, key, names.web)) usage.web = value
}
