// The hot path (WebAssembly) and the careful one (JSON.parse) say the same of every line, down to the keys that copies are known by; lines of any length
// and bytes of any kind do not put the reading off its step.
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { json, scratch, type View_ } from './read.ts'

interface Line {
  readonly id: string
  readonly request: string | undefined
  readonly model: string
  readonly session: string
  readonly time: string
  readonly counts: readonly number[]
  readonly tier: string
  readonly geo: string
  readonly speed: string
  readonly sidechain: boolean
}

const name = (most: number): fc.Arbitrary<string> => fc.string({ minLength: 1, maxLength: most, unit: 'grapheme' })
const line: fc.Arbitrary<Line> = fc.record({
  id: name(70),
  request: fc.option(name(70), { nil: undefined }),
  model: fc.oneof(fc.constantFrom('claude-opus-5', 'claude-haiku-5-5'), name(400)),
  session: fc.oneof(fc.constantFrom('s-1', 's-2'), fc.uuid(), name(400)),
  time: fc.oneof(
    fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom('2024-02-29T23:59:59.999Z', '2100-02-28T00:00:00.000Z', '2026-11-23T10:00:00+02:00', '2026-11-23T10:00:00Z', 'soon'),
  ),
  counts: fc.array(fc.oneof(fc.nat(300_000), fc.integer({ min: 0, max: 9_000_000_000_000 })), { minLength: 7, maxLength: 7 }),
  tier: fc.constantFrom('standard', 'batch', 'batch"', 'priority'),
  geo: fc.constantFrom('us', 'usa', 'not_available', 'u'),
  speed: fc.constantFrom('fast', 'faster', 'standard'),
  sidechain: fc.boolean(),
})

/** As Claude Code writes it. */
function written({ id, request, model, session, time, counts, tier, geo, speed, sidechain }: Line, content: string): string {
  const [input = 0, output = 0, write5m = 0, write1h = 0, read = 0, web = 0, more = 0] = counts
  const sums = { input_tokens: input, cache_creation_input_tokens: write5m + write1h + more, cache_read_input_tokens: read }
  const split = { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h }
  const usage = {
    ...sums,
    output_tokens: output,
    server_tool_use: { web_search_requests: web, web_fetch_requests: 1 },
    service_tier: tier,
    cache_creation: split,
    inference_geo: geo,
    iterations: [{ ...sums, output_tokens: output, cache_creation: split, type: 'message' }],
    speed,
  }
  const message = { model, id, type: 'message', role: 'assistant', content: [{ type: 'text', text: content }], stop_reason: null, usage }
  const asked = request === undefined ? {} : { requestId: request }
  const around = { uuid: 'u', timestamp: time, cwd: '/w', sessionId: session, version: '2' }
  return JSON.stringify({ parentUuid: null, isSidechain: sidechain, message, ...asked, type: 'assistant', ...around })
}

/** The same JSON with a space, which the hot path does not expect. */
function spaced(text: string): string {
  return `{ ${text.slice(1)}`
}

async function read(files: Readonly<Record<string, readonly (string | Buffer)[]>>): Promise<View_> {
  const folder = scratch()
  for (const [file, lines] of Object.entries(files)) {
    const to = path.join(folder, 'projects/-w', file)
    mkdirSync(path.dirname(to), { recursive: true })
    writeFileSync(to, Buffer.concat(lines.flatMap((each) => [Buffer.from(each), Buffer.from('\n')])))
    utimesSync(to, 1_790_000_000, 1_790_000_000) // the time of lines that have none
  }
  return json(folder, 'session')
}

test('both paths say the same of a line, and a copy that went the other way is known as one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), fc.string({ maxLength: 400 }), async (lines, content) => {
      const compact = lines.map((each) => written(each, content))
      const [hot, careful, both] = [
        await read({ 's.jsonl': compact }),
        await read({ 's.jsonl': compact.map(spaced) }),
        await read({ 's.jsonl': compact.flatMap((text) => [text, spaced(text)]) }),
      ]
      for (const { totals, rows, damaged } of [careful, both]) {
        expect(totals).toEqual({ ...hot.totals })
        expect(rows).toEqual(hot.rows)
        expect(damaged).toEqual([])
      }
    }),
    { numRuns: 150 },
  )
}, 120_000)

const usual: Line = {
  id: 'm',
  request: 'r',
  model: 'claude-opus-5',
  session: 's',
  time: '2026-11-01T10:00:00.000Z',
  counts: [1, 2, 0, 0, 0, 0, 0],
  tier: 'standard',
  geo: 'not_available',
  speed: 'standard',
  sidechain: false,
}

test('lines of every length are read, and where a damaged one stands is told: longer than the buffer, and about as long', async () => {
  const one = (number: number, length: number): string => written({ ...usual, id: `m${number}`, request: `r${number}` }, 'x'.repeat(length))
  const user = (length: number): string =>
    JSON.stringify({ parentUuid: null, type: 'user', message: { role: 'user', content: 'y'.repeat(length) } })
  const around = [-700, -650, -600, -64, -16, -1, 0, 1, 16, 64].map((more) => (1 << 18) + more)
  const lines = around.flatMap((length, at) => [one(at, length), user(length), 'damaged', user(at), one(100 + at, at)])
  const long = [user(5_000_000), one(200, 3_000_000), 'damaged', one(201, 10), user(300_000), one(202, 300_000)]
  const { totals, damaged } = await read({ 'a.jsonl': lines, 'b.jsonl': long, 'c.jsonl': [one(300, 5)] })
  expect(totals).toMatchObject({ requests: 2 * around.length + 4, inputTokens: 2 * around.length + 4 })
  const places = damaged.map(({ file, line: number }) => `${path.basename(file)}:${number}`)
  expect(places).toEqual([...around.map((_, at) => `a.jsonl:${5 * at + 3}`), 'b.jsonl:3'])
})

test('bytes of any kind between whole lines harm none of them', async () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
    // A line of ours with a part cut out, or another byte in it.
    fc.tuple(line, fc.nat(), fc.nat(200)).map(([each, at, length]) => {
      const text = Buffer.from(written({ ...each, id: `n${each.id}` }, ''))
      const from = at % text.length
      return Buffer.concat([text.subarray(0, from), text.subarray(Math.min(text.length - 1, from + 1 + length))])
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(noise, { maxLength: 20 }), async (noises) => {
      const lines = noises.flatMap((each, at) => [each, written({ ...usual, id: `whole ${at}`, model: 'whole', session: 'whole' }, '')])
      const { rows } = await read({ 's.jsonl': lines })
      const whole = rows.find((row) => row['session'] === 'whole')
      expect(whole?.['requests'] ?? 0).toBe(noises.length)
      expect(whole?.['outputTokens'] ?? 0).toBe(2 * noises.length)
    }),
    { numRuns: 150 },
  )
}, 120_000)
