// The hot path's half for `message.usage`: numbers by class, how the request was served. Unknown keys are stepped over.
import {
  flags,
  input,
  output,
  written,
  write5m,
  write1h,
  read,
  web,
  ignored,
  isFast,
  isBatch,
  isUsOnly,
  comma,
  closeList,
  open,
  close,
} from './facts'
import { spells, word, count, member, text } from './json'

/** From the brace to behind the one that closes it; 0 where something needs a closer look. */
export function usage(brace: usize, end: usize, iteration: bool): usize {
  let at = brace + 1
  if (load<u8>(at) == close) return at + 1
  const to: usize = iteration ? ignored : 0
  while (true) {
    const second = load<u8>(at + 1)
    let behind: usize = 0
    if (second == 0x63) {
      // c
      if (spells(at, '"cache_creation_input_tokens":')) behind = count(at + 30, to + written)
      else if (spells(at, '"cache_read_input_tokens":')) behind = count(at + 26, to + read)
      else if (spells(at, '"cache_creation":{')) behind = split(at + 17, end, to)
      else behind = member(at, end)
      if (behind == 0) return 0
    } else if (second == 0x69) {
      // i
      if (spells(at, '"input_tokens":')) {
        behind = count(at + 15, to + input)
        if (behind == 0) return 0
      } else if (spells(at, '"inference_geo":"')) {
        const value = at + 17
        behind = text(value, end)
        if (!iteration && behind == value + 3 && load<u8>(value) == 0x75 && load<u8>(value + 1) == 0x73) setFlag(isUsOnly)
      } else if (!iteration && spells(at, '"iterations":[')) {
        behind = iterations(at + 13, end)
        if (behind == 0) return 0
      }
    } else if (second == 0x6f) {
      // o
      if (spells(at, '"output_tokens":')) {
        behind = count(at + 16, to + output)
        if (behind == 0) return 0
      }
    } else if (second == 0x73) {
      // s
      if (spells(at, '"server_tool_use":{')) {
        behind = split(at + 18, end, to)
        if (behind == 0) return 0
      } else if (spells(at, '"service_tier":"')) {
        const value = at + 16
        if (!iteration && word(value, 'batch"')) setFlag(isBatch)
        behind = text(value, end)
      } else if (spells(at, '"speed":"')) {
        const value = at + 9
        if (!iteration && word(value, 'fast"')) setFlag(isFast)
        behind = text(value, end)
      }
    } else if (second == 0x74 && iteration && word(at, '"type":')) {
      // Of another model's calls, which are billed beside the message, the careful path knows more.
      if (!spells(at + 7, '"message"')) return 0
      behind = at + 16
    }
    if (behind == 0) behind = member(at, end)
    if (behind == 0) return 0
    const then = load<u8>(behind)
    if (then == comma) at = behind + 1
    else return then == close ? behind + 1 : 0
  }
}

function setFlag(which: u32): void {
  store<u32>(flags, load<u32>(flags) | which)
}

/** What is written to the cache by how long it stays, and the provider's own tools: the objects in an object of usage that hold what is billed. */
function split(brace: usize, end: usize, to: usize): usize {
  let at = brace + 1
  if (load<u8>(at) == close) return at + 1
  while (true) {
    let behind: usize
    if (spells(at, '"ephemeral_1h_input_tokens":')) behind = count(at + 28, to + write1h)
    else if (spells(at, '"ephemeral_5m_input_tokens":')) behind = count(at + 28, to + write5m)
    else if (spells(at, '"web_search_requests":')) behind = count(at + 22, to + web)
    else behind = member(at, end)
    if (behind == 0) return 0
    const then = load<u8>(behind)
    if (then == comma) at = behind + 1
    else return then == close ? behind + 1 : 0
  }
}

/** Over a list of iterations, whose messages repeat what the whole says. */
function iterations(bracket: usize, end: usize): usize {
  let at = bracket + 1
  if (load<u8>(at) == closeList) return at + 1
  while (true) {
    const behind = load<u8>(at) == open ? usage(at, end, true) : 0
    if (behind == 0) return 0
    const then = load<u8>(behind)
    if (then == comma) at = behind + 1
    else return then == closeList ? behind + 1 : 0
  }
}
