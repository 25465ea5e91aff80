// The meter and the budget in real cells, with curl against servers made here: each API's shape and words, TLS that is ended for the budget alone,
// (attacks.md SEC-29) two cells on one budget, what has no price, and what cannot be read.
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import zlib from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { makeAuthority } from '../attacks/witnesses.ts'
import { anchorhold, inCell, makeWorld, start, type World } from '../support/anchorhold.ts'

interface Api {
  readonly asked: { readonly path: string; readonly body: Record<string, unknown>; readonly headers: http.IncomingHttpHeaders }[]
  readonly port: number
}

type Answer = (request: { readonly path: string; readonly body: Record<string, unknown> }, response: http.ServerResponse) => void

/** A server of a model's API: over TLS where `tls` is given, in plain HTTP (behind a route) else. */
async function api(answer: Answer, tls?: https.ServerOptions): Promise<Api> {
  const asked: Api['asked'][number][] = []
  const listener: http.RequestListener = (request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString()
      const one = {
        path: request.url ?? '',
        body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
        headers: request.headers,
      }
      asked.push(one)
      answer(one, response)
    })
  }
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, port: (server.address() as AddressInfo).port }
}

const json = (response: http.ServerResponse, value: unknown): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

/** A dollar each: 100,000 tokens at 10 dollars a million (gpt-5). */
const openai: Answer = ({ path: asked, body }, response) => {
  const { model } = body
  if (asked.startsWith('/v1/responses'))
    return json(response, { object: 'response', model, usage: { input_tokens: 0, output_tokens: 100_000 } })
  if (body['stream'] !== true)
    return json(response, { object: 'chat.completion', model, choices: [], usage: { prompt_tokens: 0, completion_tokens: 100_000 } })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`data: ${JSON.stringify({ object: 'chat.completion.chunk', model, choices: [{ delta: { content: 'hi' } }] })}\n\n`)
  const options = body['stream_options'] as { include_usage?: boolean } | undefined
  if (options?.include_usage === true)
    response.write(
      `data: ${JSON.stringify({ object: 'chat.completion.chunk', model, choices: [], usage: { prompt_tokens: 0, completion_tokens: 100_000 } })}\n\n`,
    )
  response.end('data: [DONE]\n\n')
}

const ask = (to: string, body: unknown, more = ''): string =>
  `curl -sS -w '|%{http_code}\\n' ${more} https://api.openai.com${to} -H 'content-type: application/json' -d '${JSON.stringify(body)}'\n`

interface Result {
  readonly kind: string
  readonly models?: Record<string, number | null>
  readonly budget?: readonly { readonly scope: string; readonly unit: string; readonly spent: number; readonly limit: number }[]
}

async function cell(world: World, script: string, options: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await inCell(world, script, ['--json', ...options], { timeoutMilliseconds: 60_000, env })
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{"'))
    .map((line) => JSON.parse(line) as Record<string, unknown> & { kind: string })
  expect(code, stdout + stderr).toBe(0)
  return { stdout, lines, result: lines.at(-1) as unknown as Result, of: (kind: string) => lines.filter((line) => line.kind === kind) }
}

it("OpenAI's shapes: TLS is ended for the budget alone, usage is counted, and the end has the API's own form", async () => {
  const authority = makeAuthority()
  const world = makeWorld()
  const server = await api(openai, authority.server('api.openai.com'))
  const route = `--route=api.openai.com:443=127.0.0.1:${server.port}`
  const env = { NODE_EXTRA_CA_CERTS: authority.file }
  const chat = {
    model: 'gpt-5',
    messages: [{ role: 'user', content: 'x' }],
    max_tokens: 10,
    tools: [{ type: 'function', function: { name: 'f' } }],
  }
  const { stdout, result, of } = await cell(
    world,
    ask('/v1/chat/completions', chat) +
      ask('/v1/chat/completions', { ...chat, stream: true }, '--http1.1') +
      ask('/v1/responses', { model: 'gpt-5', input: 'x', tools: [{ type: 'f' }] }) +
      ask('/v1/responses', { model: 'gpt-5', input: 'x' }),
    [route, '--budget=3'],
    env,
  )
  const answers = stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
  expect(answers.at(-1), stdout).toMatch(/\|400$/)
  const error = JSON.parse(answers.at(-1)?.replace(/\|400$/, '') ?? '') as { error: Record<string, unknown> }
  expect(error.error).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota' })
  expect(error.error['message']).toMatch(
    /^anchorhold: the budget for this session is spent: \$3\.00 of \$3\.00\. .*anchorhold budget raise session=6 \d{8}-/,
  )
  expect(result.models).toMatchObject({ requests: 3, outputTokens: 300_000, usd: 3, unpricedTokens: 0, estimatedRequests: 0 })
  expect(result.budget).toEqual([{ scope: 'session', unit: 'usd', spent: 3, limit: 3 }])
  expect(of('model.usage').map((line) => line['api'])).toEqual(['openai-chat', 'openai-chat', 'openai-responses'])
  expect(server.asked.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity', 'identity', 'identity'])
  // Control: without a budget the same TLS is not touched, and nothing is counted.
  const free = await inCell(world, 'curl -sS -o /dev/null https://api.openai.com/v1/models', ['--json', route], { env })
  expect(free.stderr).toContain('curl: (60)')
}, 90_000)

it('80 % is said to the terminal once, and to the agent at the end of its next request that has tools', async () => {
  const world = makeWorld()
  const server = await api(openai)
  const input = { model: 'gpt-5', input: 'x' }
  const script =
    ask('/v1/responses', input).repeat(4) +
    ask('/v1/responses', input) +
    ask('/v1/responses', { ...input, tools: [{ type: 'f' }] }) +
    ask('/v1/responses', { ...input, tools: [{ type: 'f' }] })
  const { stderr } = await inCell(
    world,
    script,
    [`--route=api.openai.com:443=http://127.0.0.1:${server.port}`, '--budget=5.5', '--budget=100 requests'],
    { timeoutMilliseconds: 60_000 },
  )
  expect(stderr.match(/anchorhold: \d+ % of the session's budget is spent/g), stderr).toEqual([
    "anchorhold: 90 % of the session's budget is spent",
  ])
  expect(
    server.asked.map(({ body }) => String(body['input']).includes('90 % of the budget for this session is spent ($5.00 of $5.50)')),
  ).toEqual([false, false, false, false, false, true])
}, 90_000)

it('two cells on one day’s budget do not pass it together, and a third starts with nothing', async () => {
  const world = makeWorld()
  const slow: Answer = (request, response) => void setTimeout(() => openai(request, response), 150)
  const server = await api(slow)
  const options = [`--route=api.openai.com:443=http://127.0.0.1:${server.port}`, '--budget=day=4']
  const script = ask('/v1/responses', { model: 'gpt-5', input: 'x', max_output_tokens: 100_000 }).repeat(5)
  const cells = [1, 2].map(() => start(world, ['run', ...options, '--', 'sh', '-c', script], { timeoutMilliseconds: 60_000 }))
  const ends = await Promise.all(cells.map(({ outcome }) => outcome))
  expect(server.asked.length, ends.map(({ stderr }) => stderr).join('\n')).toBe(4)
  const third = await cell(world, script, options)
  expect(third.stdout).toMatch(/the budget for this project today is spent: \$4\.00 of \$4\.00/)
  expect(server.asked.length).toBe(4)
  // Another project has a day of its own.
  const other = path.join(world.home, 'work/other')
  mkdirSync(other)
  const elsewhere = await anchorhold(world, ['run', ...options, '--', 'sh', '-c', ask('/v1/responses', { model: 'gpt-5', input: 'x' })], {
    cwd: other,
  })
  expect(elsewhere.stdout).toMatch(/\|200\n$/)
  const shown = JSON.parse((await anchorhold(world, ['budget', '--json'])).stdout) as { rows: readonly Record<string, unknown>[] }
  expect(shown.rows.find(({ scope, unit }) => scope === 'day' && unit === 'usd')).toMatchObject({
    spent: 4,
    reserved: 0,
    limit: 4,
    raised: false,
  })
  expect(shown.rows.find(({ scope, unit }) => scope === 'month' && unit === 'requests')).toMatchObject({ spent: 5, limit: null })
}, 120_000)

it('when anchorhold is killed, what was under way is lost and nothing else: no reservation stays, no lock, and what was spent before', async () => {
  const world = makeWorld()
  const arrived = Promise.withResolvers<http.ServerResponse>()
  const server = await api((request, response) => {
    if (server.asked.length === 1) openai(request, response)
    else arrived.resolve(response)
  })
  const options = [`--route=api.openai.com:443=http://127.0.0.1:${server.port}`, '--budget=day=3']
  const body = { model: 'gpt-5', input: 'x', max_output_tokens: 100_000 }
  const running = start(world, ['run', ...options, '--', 'sh', '-c', ask('/v1/responses', body).repeat(2)])
  const held = await Promise.race([arrived.promise, running.outcome])
  if ('stderr' in held) throw new Error(held.stderr)
  const day = async (): Promise<unknown> => {
    const { rows } = JSON.parse((await anchorhold(world, ['budget', '--json'])).stdout) as { rows: readonly Record<string, unknown>[] }
    return rows.find(({ scope, unit }) => scope === 'day' && unit === 'usd')
  }
  expect(await day()).toMatchObject({ spent: 1, reserved: expect.closeTo(1, 3) })
  running.child.kill('SIGKILL')
  await running.outcome
  expect(await day()).toMatchObject({ spent: 1, reserved: 0 })
  held.destroy()
}, 60_000)

it('what cannot be counted does not leave: models without a price, other APIs of the host, WebSockets, bodies that are none', async () => {
  const world = makeWorld()
  const server = await api(openai)
  const route = `--route=api.openai.com:443=http://127.0.0.1:${server.port}`
  const fancy = { model: 'gpt-99', input: 'x' }
  const script =
    ask('/v1/responses', fancy) +
    ask('/v1/embeddings', { input: 'x' }) +
    ask('/v1/responses', [1]) +
    `curl -sS --http1.1 -w '|%{http_code}\n' https://api.openai.com/v1/responses -H 'connection: upgrade' -H 'upgrade: websocket' -H 'sec-websocket-version: 13' -H 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=='\n`
  const { stdout, of } = await cell(world, script, [route, '--budget=5'])
  expect(stdout).toContain('the model gpt-99 has no price, so a budget in dollars cannot be kept')
  expect(stdout).toContain('prices.yaml')
  expect(stdout).toContain('none of the model requests that can be metered')
  expect(stdout).toContain('this request could not be read')
  expect(stdout).toContain('WebSocket')
  expect(server.asked).toEqual([])
  expect(of('budget.refused').length).toBe(2)
  // A budget of tokens needs no price; a price of one's own mends the other.
  const tokens = await cell(world, ask('/v1/responses', fancy).repeat(3), [route, '--budget=150k tokens'])
  expect(tokens.stdout.match(/\|200|\|400/g)).toEqual(['|200', '|200', '|400'])
  expect(tokens.result.models).toMatchObject({ usd: 0, unpricedTokens: 200_000 })
  const config = path.join(world.home, '.config/anchorhold')
  mkdirSync(config, { recursive: true, mode: 0o700 })
  writeFileSync(path.join(config, 'prices.yaml'), 'prices: [{ model: gpt-99, input: 1, output: 20 }]\n')
  expect((await cell(world, ask('/v1/responses', fancy), [route, '--budget=5'])).result.models).toMatchObject({ usd: 2 })
}, 90_000)

it('answers that are compressed all the same are read; one that tells nothing counts as the most it can have cost', async () => {
  const world = makeWorld()
  let how: 'gzip' | 'silent' = 'gzip'
  const server = await api(({ body }, response) => {
    if (how === 'silent') return json(response, { object: 'response', model: body['model'] })
    const bytes = zlib.gzipSync(
      JSON.stringify({ object: 'response', model: body['model'], usage: { input_tokens: 0, output_tokens: 100_000 } }),
    )
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bytes)
  })
  const options = [`--route=api.openai.com:443=http://127.0.0.1:${server.port}`, '--budget=9']
  const body = { model: 'gpt-5', input: 'x', max_output_tokens: 50_000 }
  const zipped = await cell(world, ask('/v1/responses', body, '--compressed'), options)
  expect(zipped.result.models).toMatchObject({ usd: 1, estimatedRequests: 0 })
  how = 'silent'
  const silent = await cell(world, ask('/v1/responses', body), options)
  expect(silent.of('model.usage')).toMatchObject([{ counted: 'worst case', outputTokens: 50_000 }])
  expect(silent.result.models?.['usd']).toBeGreaterThan(0.5)
}, 90_000)

it("a project's policy lowers a budget, and cannot raise one; both are shown before anything runs", async () => {
  const world = makeWorld()
  const config = path.join(world.home, '.config/anchorhold')
  mkdirSync(config, { recursive: true, mode: 0o700 })
  writeFileSync(path.join(config, 'policy.yaml'), 'budget: { session: 5, day: [20, 5m tokens] }\n', { mode: 0o600 })
  const own = path.join(world.project, 'anchorhold.yaml')
  writeFileSync(own, 'budget: { session: 2, month: 100 }\n')
  const shown = await anchorhold(world, ['policy'])
  expect(shown.stdout.replaceAll(/ +/g, ' ')).toContain('budget session $2.00 ' + own)
  expect(shown.stdout).toContain('5,000,000 tokens')
  const dry = await anchorhold(world, ['run', '--dry-run', '--', 'true'])
  expect(dry.stdout).toContain('Budget\n  session $2.00\n  day $20.00\n  day 5,000,000 tokens\n  month $100.00\n')
  const explained = await anchorhold(world, ['explain', 'host', 'api.anthropic.com', '--allow', 'api.anthropic.com'])
  expect(explained.stdout).toContain('its usage is metered for the budget')
  writeFileSync(own, 'budget: { session: 6 }\n')
  const refused = await anchorhold(world, ['run', '--', 'true'])
  expect(refused.code).toBe(125)
  expect(refused.stderr).toContain('line 1: raises the budget of a session to $6.00')
  const flag = await anchorhold(world, ['run', '--dry-run', '--budget', 'session=8', '--', 'true'])
  expect(flag.stdout).toContain('session $8.00') // the user's own word for this run
})

it.each([
  [['budget', 'raise', '1'], /not limited, so there is nothing to raise/],
  [['budget', 'raise', 'week=1'], /it is for a session, a day or a month/],
  [['run', '--budget', 'five', '--', 'true'], /--budget: the budget can't be "five"/],
  [['run', '--budget', '5', '--budget', 'session=6', '--', 'true'], /--budget 5/],
])('%j is refused with a mend', async (args, words) => {
  const { code, stderr } = await anchorhold(makeWorld(), args)
  expect(code).toBe(125)
  expect(stderr).toMatch(words)
})
