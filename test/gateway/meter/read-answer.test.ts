// Usage is read from answers as they come, however their bytes are cut: streams and JSON of the three shapes, plain and compressed.
import zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutUsage, worstUsage } from '../../../src/gateway/meter/estimate.ts'
import { readAnswer } from '../../../src/gateway/meter/read-answer.ts'
import type { Told } from '../../../src/gateway/meter/shape.ts'
import { mayCost, modelRequest, type ModelRequest } from '../../../src/gateway/meter/shapes.ts'

function asked(path: string): ModelRequest {
  const found = modelRequest('POST', path)
  if (found === undefined) throw new Error(`${path} is known to no shape`)
  return found
}

const events = (...list: readonly (readonly [string | undefined, unknown])[]): string =>
  list
    .map(
      ([name, data]) =>
        `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
    )
    .join('')

const said = 'it said "usage":{"output_tokens":999999} and \\"usage\\" – ünï 🦜'

const recorded: readonly {
  readonly name: string
  readonly path: string
  readonly type: string
  readonly body: string
  readonly model: string
  readonly usage: object
}[] = [
  {
    name: 'Messages, streamed',
    path: '/v1/messages?beta=true',
    type: 'text/event-stream; charset=utf-8',
    model: 'claude-opus-5',
    usage: { input: 9, output: 512, cacheWrite5m: 200, cacheWrite1h: 1_000, cacheRead: 40_000, webSearches: 2 },
    body: events(
      [
        'message_start',
        {
          type: 'message_start',
          message: {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'claude-opus-5',
            content: [],
            usage: {
              input_tokens: 9,
              cache_creation_input_tokens: 1_200,
              cache_read_input_tokens: 40_000,
              cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 1_000 },
              output_tokens: 1,
            },
          },
        },
      ],
      ['ping', { type: 'ping' }],
      ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
      ['content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: said } }],
      ['content_block_stop', { type: 'content_block_stop', index: 0 }],
      [
        'message_delta',
        {
          type: 'message_delta',
          delta: { stop_reason: 'end_turn' },
          usage: { output_tokens: 512, server_tool_use: { web_search_requests: 2 } },
        },
      ],
      ['message_stop', { type: 'message_stop' }],
    ),
  },
  {
    name: 'Messages, whole',
    path: '/v1/messages',
    type: 'application/json',
    model: 'claude-sonnet-4-5',
    usage: { input: 3, output: 7, cacheWrite5m: 5, cacheWrite1h: 0, cacheRead: 11, webSearches: 0 },
    body: JSON.stringify({
      type: 'message',
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text: said }],
      usage: { input_tokens: 3, cache_creation_input_tokens: 5, cache_read_input_tokens: 11, output_tokens: 7 },
    }),
  },
  {
    name: 'Responses, streamed',
    path: '/v1/responses',
    type: 'text/event-stream',
    model: 'gpt-5.4',
    usage: { input: 60, output: 30, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 40, webSearches: 0 },
    body: events(
      ['response.created', { type: 'response.created', response: { object: 'response', model: 'gpt-5.4', usage: null } }],
      ['response.output_text.delta', { type: 'response.output_text.delta', delta: said }],
      [
        'response.completed',
        {
          type: 'response.completed',
          response: {
            object: 'response',
            model: 'gpt-5.4',
            usage: {
              input_tokens: 100,
              input_tokens_details: { cached_tokens: 40 },
              output_tokens: 30,
              output_tokens_details: { reasoning_tokens: 20 },
            },
          },
        },
      ],
    ),
  },
  {
    name: 'Responses, whole',
    path: '/v1/responses',
    type: 'application/json',
    model: 'gpt-5.4',
    usage: { input: 100, output: 30, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, webSearches: 0 },
    body: JSON.stringify({ object: 'response', model: 'gpt-5.4', output: [], usage: { input_tokens: 100, output_tokens: 30 } }),
  },
  {
    name: 'Chat, streamed',
    path: '/v1/chat/completions',
    type: 'text/event-stream',
    model: 'gpt-5-mini',
    usage: { input: 6, output: 5, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 4, webSearches: 0 },
    body: events(
      [undefined, { object: 'chat.completion.chunk', model: 'gpt-5-mini', choices: [{ index: 0, delta: { content: said } }], usage: null }],
      [
        undefined,
        {
          object: 'chat.completion.chunk',
          model: 'gpt-5-mini',
          choices: [],
          usage: { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } },
        },
      ],
      [undefined, '[DONE]'],
    ),
  },
  {
    name: 'Chat, whole',
    path: '/v1/chat/completions',
    type: 'application/json; charset=utf-8',
    model: 'gpt-5-mini',
    usage: { input: 10, output: 5, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, webSearches: 0 },
    body: JSON.stringify({
      object: 'chat.completion',
      model: 'gpt-5-mini',
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 5 },
    }),
  },
]

const codings: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['identity', (bytes) => bytes],
  ['gzip', (bytes) => zlib.gzipSync(bytes)],
  ['br', (bytes) => zlib.brotliCompressSync(bytes)],
  ['deflate', (bytes) => zlib.deflateSync(bytes)],
  ['zstd', (bytes) => zlib.zstdCompressSync(bytes)],
]

async function read(
  path: string,
  type: string,
  coding: string,
  bytes: Buffer,
  cuts: readonly number[],
): Promise<{ told: Told; firsts: number }> {
  let firsts = 0
  const reader = readAnswer(
    asked(path).shape,
    [
      ['Content-Type', type],
      ['Content-Encoding', coding],
    ],
    () => (firsts += 1),
  )
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b)
  for (const [at, from] of [0, ...places].entries()) {
    const piece = Buffer.from(bytes.subarray(from, places[at]))
    reader.push(piece)
    piece.fill(0) // a chunk is valid during the call only
  }
  await reader.end()
  return { told: reader.told, firsts }
}

describe.each(recorded)('$name', ({ path, type, body, model, usage }) => {
  it.each(codings)('is read wherever its bytes are cut (%s)', async (coding, encode) => {
    const lineEnds = type.includes('stream') ? fc.constantFrom('\n', '\r\n', '\r') : fc.constant('\n')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(100_000), { maxLength: 60 }), lineEnds, async (cuts, end) => {
        const bytes = encode(Buffer.from(body.replaceAll('\n', end)))
        const { told, firsts } = await read(path, type, coding, bytes, cuts)
        expect(told).toMatchObject({ complete: true, model, usage })
        expect(firsts).toBe(1)
      }),
      { numRuns: 40 },
    )
  })

  it('is not complete when its end is missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: Math.floor(body.length / 2) }), async (length) => {
        const { told } = await read(path, type, 'identity', Buffer.from(body).subarray(0, length), [])
        expect(told.complete).toBe(false)
      }),
    )
  })
})

it('counts every byte value as it comes: noise is no usage, and harms nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 4_000 }),
      fc.constantFrom('identity', 'gzip', 'br', 'unheard-of'),
      async (noise, coding) => {
        const { told } = await read('/v1/messages', 'text/event-stream', coding, Buffer.from(noise), [7, 100])
        expect(told).toEqual({ complete: false })
      },
    ),
  )
})

it('holds no event that is longer than it may be, and reads the next one', async () => {
  const long = `data: {"type":"message_start","message":{"usage":{"output_tokens":${' '.repeat(17 * 2 ** 20)}9}}}\n\n`
  const rest = events(
    ['message_delta', { type: 'message_delta', usage: { input_tokens: 1, output_tokens: 2 } }],
    ['message_stop', { type: 'message_stop' }],
  )
  const { told } = await read('/v1/messages', 'text/event-stream', 'identity', Buffer.from(long + rest), [1_000_000, 9_000_000])
  expect(told).toMatchObject({ complete: true, usage: { input: 1, output: 2 } })
})

it('an error in the midst of a stream is no end', async () => {
  const body = events(
    ['message_start', { type: 'message_start', message: { model: 'x', usage: { input_tokens: 5, output_tokens: 1 } } }],
    ['error', { type: 'error', error: { type: 'overloaded_error' } }],
  )
  const { told } = await read('/v1/messages', 'text/event-stream', 'identity', Buffer.from(body), [])
  expect(told).toMatchObject({ complete: false, error: 'overloaded_error' })
})

it('what was cut off costs what was told of its prompt, and what can have been written in the time', () => {
  const worst = worstUsage({ model: 'x', maxTokens: 32_000, streamed: true, tools: true, modifiers: {} }, 10_000)
  expect(worst).toMatchObject({ cacheWrite5m: 5_000, output: 32_000 })
  expect(cutUsage({ complete: false }, worst, 1_000)).toMatchObject({ cacheWrite5m: 5_000, output: 1_000 })
  const told = { complete: false, usage: { ...worst, cacheWrite5m: 0, cacheRead: 4_000, output: 12 } }
  expect(cutUsage(told, worst, 1_000)).toMatchObject({ cacheWrite5m: 0, cacheRead: 4_000, output: 1_000 })
  expect(cutUsage(told, worst, 10_000_000).output).toBe(32_000)
})

it.each([
  ['/v1/messages', 'anthropic-messages'],
  ['/v1/messages?beta=true', 'anthropic-messages'],
  ['/v1//messages/', 'anthropic-messages'],
  ['/v1/%6dessages', 'anthropic-messages'],
  ['/proxy/v1/messages', 'anthropic-messages'],
  ['/v1/messages/batches', 'anthropic-messages'],
  ['/v1/responses', 'openai-responses'],
  ['/openai/v1/chat/completions', 'openai-chat'],
])('POST %s is a request of %s', (path, name) => {
  expect(modelRequest('POST', path)?.shape.name).toBe(name)
  expect(modelRequest('GET', path)).toBe(undefined)
})

it('knows what else a model host is asked: what costs nothing, and what might', () => {
  for (const path of ['/v1/messages/count_tokens', '/v1/models', '/v1/files', '/api/event_logging/batch', '/v1/responses/resp_1/cancel'])
    expect(mayCost('POST', path), path).toBe(false)
  for (const path of ['/v1/complete', '/v1/embeddings', '/v1/images/generations', '/v1/%65mbeddings', '/v1beta/models/x:generateContent'])
    expect(mayCost('POST', path), path).toBe(true)
})

it('a batch is each of its requests, at half the price', () => {
  const { shape, kind } = asked('/v1/messages/batches')
  const params = { model: 'claude-opus-5', max_tokens: 100, messages: [] }
  expect(
    shape.facts(
      {
        requests: [
          { custom_id: 'a', params },
          { custom_id: 'b', params },
        ],
      },
      kind,
    ),
  ).toMatchObject([{ model: 'claude-opus-5', maxTokens: 100, modifiers: { batch: true } }, { maxTokens: 100 }])
  expect(shape.facts({ requests: [{ params: {} }] }, kind)).toBe(undefined)
})
