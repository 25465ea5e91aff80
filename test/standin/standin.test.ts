import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readScript } from '../../src/standin/read-script.ts'
import type { Turn } from '../../src/standin/script.ts'
import { startStandin, type Standin } from '../../src/standin/start.ts'

const headers = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' }
const tools = [{ name: 'Bash', input_schema: {} }]
const ask = (standin: Standin, body: unknown, more: Record<string, string> = {}) =>
  fetch(`${standin.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { ...headers, ...more },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const user = (content: unknown) => ({ role: 'user', content })
const base = { model: 'claude-test', max_tokens: 100, tools }
const turns: readonly Turn[] = [
  {
    text: 'Looking ☃ at it.',
    tools: [
      { name: 'Bash', input: { command: 'echo "ü"' } },
      { name: 'Read', input: { file_path: '/x' } },
    ],
  },
  { when: '^failed', text: 'It failed.' },
  { when: '^passed', text: 'It passed.' },
  { text: 'The end.' },
]

interface Message {
  readonly content: readonly { readonly type: string; readonly id: string; readonly text?: string }[]
  readonly stop_reason: string
  readonly usage: Record<string, number>
}
const message = async (response: Response) => (await response.json()) as Message

test('a stream has the events of the Messages API, in their order, and adds up to the turn', async () => {
  await using standin = await startStandin({ script: turns })
  const response = await ask(standin, { ...base, stream: true, messages: [user('go')] })
  expect(response.headers.get('content-type')).toMatch('text/event-stream')
  const events = (await response.text())
    .trim()
    .split('\n\n')
    .map((text) => JSON.parse(text.split('\ndata: ')[1] ?? '') as Record<string, unknown>)
  const types = events.map(({ type }) => String(type))
  expect(types.filter((type, at) => type !== types[at - 1])).toEqual([
    'message_start',
    'ping',
    ...Array.from({ length: 3 }, () => ['content_block_start', 'content_block_delta', 'content_block_stop']).flat(),
    'message_delta',
    'message_stop',
  ])
  const joined = (index: number, field: string) =>
    events
      .filter((event) => event['index'] === index && event['type'] === 'content_block_delta')
      .map((event) => (event['delta'] as Record<string, string>)[field] ?? '')
      .join('')
  expect(joined(0, 'text')).toBe('Looking ☃ at it.')
  expect(JSON.parse(joined(1, 'partial_json'))).toEqual({ command: 'echo "ü"' })
  expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' }, usage: { output_tokens: expect.any(Number) as number } })
})

test('the next turn follows from the results that came, however often it is asked', async () => {
  await using standin = await startStandin({ script: turns })
  const first = await message(await ask(standin, { ...base, messages: [user('go')] }))
  const id = first.content.find(({ type }) => type === 'tool_use')?.id
  const after = (text: string) => ({
    ...base,
    messages: [
      user('go'),
      { role: 'assistant', content: first.content },
      user([{ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text }] }]),
    ],
  })
  const answers = await Promise.all(
    ['passed', 'failed', 'passed', 'neither'].map(async (text) => (await message(await ask(standin, after(text)))).content[0]?.text),
  )
  expect(answers).toEqual(['It passed.', 'It failed.', 'It passed.', 'The end.'])
  expect(standin.requests.map(({ turn }) => turn).join(' ')).toMatch(/^0(?: [123]){4}$/)
})

test('a request without tools is beside the conversation: it takes no turn', async () => {
  await using standin = await startStandin({ script: turns })
  const { tools: _tools, ...without } = base
  const title = await message(await ask(standin, { ...without, system: 'Write a title', messages: [user('go')] }))
  expect(JSON.parse(title.content[0]?.text ?? '')).toHaveProperty('title')
  const schema = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'array' } } }
  const shaped = await message(
    await ask(standin, { ...without, output_config: { format: { type: 'json_schema', schema } }, messages: [user('go')] }),
  )
  expect(JSON.parse(shaped.content[0]?.text ?? '')).toEqual({ a: 'Scripted a', b: [] })
  expect((await message(await ask(standin, { ...base, messages: [user('go')] }))).stop_reason).toBe('tool_use')
  expect(standin.requests.map(({ kind }) => kind)).toEqual(['side', 'side', 'turn'])
})

test('several conversations keep apart by their opening; a function may decide', async () => {
  await using standin = await startStandin({
    script: { conversations: [{ match: 'helper', turns: [{ text: 'H' }] }, { turns: [{ text: 'M' }] }] },
  })
  const texts = await Promise.all(
    ['helper, do it', 'main'].map(
      async (text) => (await message(await ask(standin, { ...base, messages: [user(text)] }))).content[0]?.text,
    ),
  )
  expect(texts).toEqual(['H', 'M'])
  await using decided = await startStandin({ script: ({ turn, opening }) => ({ text: `${turn} ${opening}` }) })
  expect(
    (await message(await ask(decided, { ...base, messages: [user('x'), { role: 'assistant', content: 'y' }, user('z')] }))).content[0]
      ?.text,
  ).toBe('1 x')
})

test('usage: a marked prefix is written once and read afterwards, by kind of cache; figures can be fixed', async () => {
  await using standin = await startStandin({
    script: ({ opening }) =>
      opening === 'fixed' ? { usage: { input: 7, output: 9, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 } } : { text: 'x' },
  })
  const body = (ttl?: string) => ({
    ...base,
    system: [{ type: 'text', text: 's'.repeat(400), cache_control: { type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) } }],
    messages: [user('hi')],
  })
  const usage = async (given: unknown) => (await message(await ask(standin, given))).usage
  const first = await usage(body())
  expect(first).toMatchObject({
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: first['cache_creation_input_tokens'], ephemeral_1h_input_tokens: 0 },
  })
  expect(first['cache_creation_input_tokens']).toBeGreaterThan(100)
  expect(await usage(body())).toMatchObject({
    cache_read_input_tokens: first['cache_creation_input_tokens'],
    cache_creation_input_tokens: 0,
    input_tokens: first['input_tokens'],
  })
  await using fresh = await startStandin({ script: [{ text: 'x' }] })
  expect((await message(await ask(fresh, body('1h')))).usage).toMatchObject({
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: first['cache_creation_input_tokens'] },
  })
  expect(await usage({ ...base, messages: [user('fixed')] })).toMatchObject({ input_tokens: 7, output_tokens: 9 })
})

test.each([
  ['no key', { 'x-api-key': '' }, {}, 401, 'authentication_error'],
  ['another key', { 'x-api-key': 'other' }, {}, 401, 'authentication_error'],
  ['no version', { 'anthropic-version': '' }, {}, 400, 'invalid_request_error'],
  ['no JSON', {}, '{', 400, 'invalid_request_error'],
  ['no model', {}, { max_tokens: 1, messages: [user('x')] }, 400, 'invalid_request_error'],
  ['no messages', {}, { ...base, messages: [] }, 400, 'invalid_request_error'],
  ['a message without content', {}, { ...base, messages: [{ role: 'user' }] }, 400, 'invalid_request_error'],
])('%s is refused in the shape of the API', async (_name, more, body, status, type) => {
  await using standin = await startStandin({ script: turns, apiKey: 'k' })
  const given = Object.fromEntries(Object.entries({ ...headers, ...more }).filter(([, value]) => value !== ''))
  const response = await fetch(`${standin.url}/v1/messages`, {
    method: 'POST',
    headers: given,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ type: 'error', error: { type, message: expect.any(String) as string } })
  expect((await ask(standin, { ...base, messages: [user('x')] })).status).toBe(200) // control
})

test('scripted errors, other requests, unknown paths, bodies beyond the limit', async () => {
  await using standin = await startStandin({
    script: [{ error: { status: 529, type: 'overloaded_error', message: 'Overloaded', retryAfter: 3 } }],
  })
  const overloaded = await ask(standin, { ...base, messages: [user('x')] })
  expect([overloaded.status, overloaded.headers.get('retry-after')]).toEqual([529, '3'])
  expect((await fetch(standin.url, { method: 'HEAD' })).status).toBe(200)
  expect(await (await fetch(`${standin.url}/v1/models`)).json()).toHaveProperty('data.0.id')
  expect((await fetch(`${standin.url}/api/event_logging/batch`, { method: 'POST', body: '{}' })).status).toBe(200)
  expect(
    await (
      await fetch(`${standin.url}/v1/messages/count_tokens`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ ...base, messages: [user('x'.repeat(400))] }),
      })
    ).json(),
  ).toMatchObject({ input_tokens: expect.any(Number) as number })
  expect((await fetch(`${standin.url}/v2/nothing`)).status).toBe(404)
  expect((await ask(standin, `"${'x'.repeat(33 * 2 ** 20)}"`)).status).toBe(413)
})

test('a script from a file is checked; an unknown key is an error', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'script-'))
  try {
    const file = path.join(folder, 's.json')
    writeFileSync(file, JSON.stringify({ turns }))
    await using standin = await startStandin({ script: await readScript(file) })
    expect((await message(await ask(standin, { ...base, messages: [user('x')] }))).stop_reason).toBe('tool_use')
    writeFileSync(file, JSON.stringify([{ txet: 'x' }]))
    await expect(readScript(file)).rejects.toThrow(/no script for the stand-in/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
