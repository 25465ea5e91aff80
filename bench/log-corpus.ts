// Session logs of a heavy user, for `bench/cost.ts`: sizes and shapes as they are found in the wild, the same bytes for the same seed.
import { closeSync, existsSync, mkdirSync, openSync, rmSync, renameSync, writeSync } from 'node:fs'
import path from 'node:path'

/** A folder with `projects` in it of about `bytes` bytes; made once, kept. */
export function logCorpus(cache: string, name: string, bytes: number, sessions: number): string {
  const folder = path.join(cache, name)
  if (existsSync(folder)) return folder
  const draft = `${folder}.part`
  rmSync(draft, { recursive: true, force: true })
  const dice = makeDice(bytes)
  const pool = Array.from({ length: 400 }, (_, at) => JSON.stringify(code(dice, 40 * 2 ** (at % 11))).slice(1, -1))
  const weights = Array.from({ length: sessions }, () => Math.exp(1.3 * bell(dice)))
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  for (const weight of weights) writeSession(draft, dice, pool, Math.max(3000, (weight / all) * bytes))
  renameSync(draft, folder)
  return folder
}

type Dice = () => number

function makeDice(seed: number): Dice {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 4294967296
  }
}
function bell(dice: Dice): number {
  return Math.sqrt(-2 * Math.log(1 - dice() * 0.999999)) * Math.cos(2 * Math.PI * dice())
}
/** Log-normal around a middle. */
function size(dice: Dice, middle: number, most: number): number {
  return Math.min(most, Math.round(middle * Math.exp(1.2 * bell(dice))))
}
function hex(dice: Dice, length: number): string {
  let text = ''
  while (text.length < length) text += Math.floor(dice() * 0x10000000).toString(16)
  return text.slice(0, length)
}
function uuid(dice: Dice): string {
  return [8, 4, 4, 4, 12].map((length) => hex(dice, length)).join('-')
}
const words = 'const await return the session "policy" \\d+ { gateway } => async run(test) // → é\n  import export\t'.split(' ')
function code(dice: Dice, length: number): string {
  let text = ''
  while (text.length < length) text += `${words[Math.floor(dice() * words.length)] ?? ''} `
  return text.slice(0, length)
}

const models = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-opus-5', 'claude-opus-4-8'] as const

function writeSession(folder: string, dice: Dice, pool: readonly string[], bytes: number): void {
  const id = uuid(dice)
  const cwd = `/home/dev/work/project-${Math.floor(200 * dice() ** 2.2)}`
  const place = path.join(folder, 'projects', cwd.replace(/[^a-zA-Z0-9]/g, '-'))
  mkdirSync(place, { recursive: true })
  const file = openSync(path.join(place, `${id}.jsonl`), 'w')
  const model = models[Math.floor(dice() * models.length)] ?? 'claude-opus-5'
  let time = Date.UTC(2026, 4, 1) + Math.floor(dice() * 200) * 86_400_000
  let context = 15_000
  let parent = 'null'
  const done = { bytes: 0 }
  const text = (length: number): string =>
    pool[Math.min(pool.length - 1, Math.floor(dice() * 36) * 11 + Math.max(0, Math.round(Math.log2(length / 40))))] ?? ''
  const line = (head: string, tail = ''): void => {
    const own = uuid(dice)
    time += Math.floor(dice() * 9000)
    const around = `"uuid":"${own}","timestamp":"${new Date(time).toISOString()}","userType":"external","entrypoint":"cli","cwd":"${cwd}","sessionId":"${id}","version":"2.1.200","gitBranch":"main"`
    done.bytes += writeSync(file, `{"parentUuid":${parent},"isSidechain":false,${head},${around}${tail}}\n`)
    parent = `"${own}"`
  }
  while (done.bytes < bytes) {
    line(`"promptId":"${uuid(dice)}","type":"user","message":{"role":"user","content":"${text(size(dice, 200, 8000))}"}`)
    for (let turn = Math.floor(dice() * 12); turn >= 0 && done.bytes < bytes; turn--) {
      const fresh = size(dice, 1400, 60_000)
      const output = size(dice, 260, 24_000)
      const sums = `"input_tokens":${Math.floor(dice() * 12)},"cache_creation_input_tokens":${fresh},"cache_read_input_tokens":${context}`
      const split = `"cache_creation":{"ephemeral_1h_input_tokens":${fresh},"ephemeral_5m_input_tokens":0}`
      const usage = `{${sums},"output_tokens":${output},"output_tokens_details":{"thinking_tokens":9},"server_tool_use":{"web_search_requests":0,"web_fetch_requests":0},"service_tier":"standard",${split},"inference_geo":"not_available","iterations":[{${sums},"output_tokens":${output},${split},"type":"message"}],"speed":"standard"}`
      context = context > 300_000 ? 30_000 : context + fresh + output
      const [message, request, tool] = [`msg_01${hex(dice, 22)}`, `req_011C${hex(dice, 20)}`, `toolu_01${hex(dice, 22)}`]
      const blocks = [
        `{"type":"thinking","thinking":"${text(size(dice, 500, 9000))}","signature":"${hex(dice, 300 + Math.floor(dice() * 1500))}"}`,
        `{"type":"tool_use","id":"${tool}","name":"Bash","input":{"command":"${text(size(dice, 300, 30_000))}"}}`,
      ].slice(dice() < 0.55 ? 0 : 1)
      for (const [at, block] of blocks.entries())
        line(
          `"message":{"model":"${model}","id":"${message}","type":"message","role":"assistant","content":[${block}],"stop_reason":"tool_use","stop_sequence":null,"usage":${usage}},"requestId":"${request}","apiBlockIndex":${at},"type":"assistant"`,
        )
      const result = text(size(dice, 1800, 40_000))
      line(
        `"promptId":"${uuid(dice)}","type":"user","message":{"role":"user","content":[{"tool_use_id":"${tool}","type":"tool_result","content":"${result}"}]}`,
        `,"toolUseResult":{"stdout":"${result}","stderr":"","interrupted":false}`,
      )
    }
  }
  closeSync(file)
}
