// `anchorhold cost` and `statusline` as a user has them: the built command, its output, its exit codes; witnesses watch from outside.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { anchorhold, bin, makeWorld, type World } from '../support/anchorhold.ts'
import { writeCorpus, type Truth } from '../cost/corpus.ts'
import { dollarsOf, sumsOf } from '../cost/oracle.ts'

const root = path.resolve(import.meta.dirname, '../..')

interface Json {
  readonly totals: Readonly<Record<string, unknown>> & { readonly usd: number }
  readonly rows: readonly (Readonly<Record<string, unknown>> & { readonly usd: number })[]
  readonly [key: string]: unknown
}

function corpusWorld(seed = 11, sessions = 6): { readonly world: World; readonly truth: Truth; readonly logs: string } {
  const world = makeWorld()
  const logs = path.join(world.home, '.claude')
  const truth = writeCorpus(logs, { seed, sessions })
  return { world: { ...world, env: { ...world.env, TZ: 'UTC' } }, truth, logs }
}

async function json(world: World, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Json> {
  const { code, stdout, stderr } = await anchorhold(world, ['cost', '--json', ...args], { env })
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Json
}

const one = (id: string, more: object = {}, usage: object = {}): string =>
  JSON.stringify({
    type: 'assistant',
    sessionId: 's',
    cwd: '/w',
    requestId: `r-${id}`,
    timestamp: '2026-11-01T10:00:00.000Z',
    message: { id, model: 'claude-opus-5', role: 'assistant', usage: { input_tokens: 10, output_tokens: 20, ...usage } },
    ...more,
  })

function logFile(world: World, lines: readonly string[], name = '.claude/projects/-w/s.jsonl'): string {
  const file = path.join(world.home, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, lines.join('\n'))
  return file
}

test.each([[], ['--no-index']])('the totals are true, and every view has the same (%s)', async (...more) => {
  const { world, truth } = corpusWorld()
  for (const view of ['session', 'day', 'week', 'month', 'model', 'project', 'block']) {
    const { totals, rows, schema, by } = await json(world, ['--by', view, ...more])
    expect({ schema, by }).toEqual({ schema: 'anchorhold.cost/1', by: view })
    expect(totals).toMatchObject(sumsOf(truth.requests))
    expect(totals.usd).toBeCloseTo(dollarsOf(truth.requests), 6)
    expect(rows.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(totals.usd, 6)
    expect(Object.values(totals['usdByClass'] as object).reduce((sum: number, usd: number) => sum + usd, 0)).toBeCloseTo(totals.usd, 6)
  }
})

test('one session has the same requests and sums as its row', async () => {
  const { world, truth } = corpusWorld(7, 5)
  for (const row of (await json(world, [])).rows) {
    const id = String(row['session'])
    const detail = await json(world, ['--session', id.slice(0, 13)])
    const own = truth.requests.filter(({ session }) => session === id)
    expect(detail.totals).toMatchObject(sumsOf(own))
    expect(detail.rows.length).toBe(own.length)
    expect(detail.rows.map(({ contextTokens }) => contextTokens).toSorted()).toEqual(
      own.map(({ input, write5m, write1h, read }) => input + write5m + write1h + read).toSorted(),
    )
  }
})

test('where the cache broke, why, and with which tools', async () => {
  const world = makeWorld()
  const step = (id: string, minute: number, read: number, write: number, model = 'claude-opus-5'): string =>
    JSON.stringify({
      type: 'assistant',
      sessionId: 's',
      requestId: id,
      timestamp: new Date(Date.UTC(2026, 10, 1, 10, minute)).toISOString(),
      message: {
        id,
        model,
        role: 'assistant',
        content: [{ type: 'tool_use', id: `t${id}`, name: 'Read', input: {} }],
        usage: { input_tokens: 5, output_tokens: 9, cache_creation_input_tokens: write, cache_read_input_tokens: read },
      },
    })
  const prompt = JSON.stringify({ type: 'user', sessionId: 's', message: { role: 'user', content: 'do it' } })
  logFile(world, [
    prompt,
    step('a', 0, 0, 20_000),
    step('b', 1, 20_000, 500),
    prompt,
    step('c', 30, 0, 21_000),
    step('d', 31, 0, 22_000, 'claude-sonnet-5'),
    '',
  ])
  const { rows, tools } = await json(world, ['--session', 's'])
  expect(
    rows.map(({ turn, cacheBreak, contextGrowth }) => [
      turn,
      (cacheBreak as { why: string; lostTokens: number } | null)?.why,
      contextGrowth,
    ]),
  ).toEqual([
    [1, undefined, 20_005],
    [1, undefined, 500],
    [2, 'expired', 500],
    [2, 'other model', 1000],
  ])
  expect(tools).toEqual([{ tool: 'Read', calls: 4 }])
  const { stdout } = await anchorhold(world, ['cost', '--session', 's'])
  expect(stdout).toContain('broke: expired after 29 min')
  expect(stdout).toContain('2 requests broke the cache')
})

test('filters by time, project and model; times are of the zone that was named', async () => {
  const { world, truth } = corpusWorld()
  const [middle] = truth.requests
    .map(({ time }) => time)
    .toSorted()
    .slice(truth.requests.length >> 1)
  const day = new Date(middle ?? 0).toISOString().slice(0, 10)
  const on = truth.requests.filter(({ time }) => new Date(time).toISOString().startsWith(day))
  expect((await json(world, ['--since', day, '--until', day])).totals).toMatchObject(sumsOf(on))
  const model = truth.requests[0]?.model ?? ''
  expect((await json(world, ['--model', model])).totals).toMatchObject(sumsOf(truth.requests.filter((request) => request.model === model)))
  const project = truth.requests[0]?.project ?? ''
  const own = sumsOf(truth.requests.filter((request) => request.project === project))
  expect((await json(world, ['--project', project])).totals).toMatchObject(own)
  expect((await json(world, ['--project', path.basename(project)])).totals).toMatchObject(own)
  const inKolkata = (time: number): string => new Date(time + 5.5 * 3_600_000).toISOString().slice(0, 10)
  const { rows, timeZone } = await json(world, ['--by', 'day', '--time-zone', 'Asia/Kolkata'])
  expect(timeZone).toMatch(/Kolkata|Calcutta/)
  expect(rows.map((row) => row['day'])).toEqual([...new Set(truth.requests.map(({ time }) => inKolkata(time)))].sort())
  const bad = await anchorhold(world, ['cost', '--since', '2026-13-40'])
  expect([bad.code, bad.stderr]).toEqual([125, expect.stringContaining('--since 2026-13-40 is no time')])
})

test("a model without a price: its tokens in the total line, exit code 1 under --strict; a price of one's own mends it", async () => {
  const world = makeWorld()
  logFile(world, [one('a'), one('b', {}, {}).replace('claude-opus-5', 'claude-opus-99'), ''])
  const table = await anchorhold(world, ['cost', '--strict'])
  expect(table.code).toBe(1)
  expect(table.stdout).toMatch(/^total .*\$0\.0006 \+ 30 unpriced$/m)
  expect(table.stderr).toContain('30 tokens of claude-opus-99 have no price')
  expect((await json(world, [])).totals).toMatchObject({ unpricedTokens: 30, inputTokens: 20 })
  const prices = path.join(world.home, '.config/anchorhold/prices.yaml')
  mkdirSync(path.dirname(prices), { recursive: true })
  writeFileSync(prices, 'prices:\n  - { model: claude-opus-99, input: 100, output: 200 }\n')
  const mended = await anchorhold(world, ['cost', '--strict', '--json'])
  expect(mended.code).toBe(0)
  expect((JSON.parse(mended.stdout) as Json).totals.usd).toBeCloseTo(0.00055 + 0.005, 9)
  writeFileSync(path.join(world.home, 'bad.yaml'), 'prices:\n  - { model: x, inptu: 1 }\n')
  const bad = await anchorhold(world, ['cost', '--prices', path.join(world.home, 'bad.yaml')])
  expect([bad.code, bad.stdout]).toEqual([125, ''])
  expect(bad.stderr).toContain('bad.yaml: prices.0')
})

test('damaged lines are counted and named, in JSON and in the table; the rest counts', async () => {
  const world = makeWorld()
  const file = logFile(world, [one('a'), 'garbage', one('b'), '', '{"type":"assistant","message":{"usage":'])
  const { damaged, damagedLines, totals } = await json(world, [])
  expect(damagedLines).toBe(2)
  expect((damaged as { file: string; line: number }[]).map((entry) => `${entry.file}:${entry.line}`)).toEqual([`${file}:2`, `${file}:5`])
  expect(totals['requests']).toBe(2)
  expect((await anchorhold(world, ['cost'])).stdout).toContain(`2 damaged lines: ${file}:2`)
})

test('what the agent reports stands beside what we compute', async () => {
  const world = makeWorld()
  const total = (dollars: number): string => JSON.stringify({ type: 'cost-state', sessionId: 's', totalCostUSD: dollars })
  logFile(world, [one('a'), total(0.5), total(1.25), ''])
  const { rows } = await json(world, [])
  expect(rows[0]?.['reported']).toMatchObject({ usd: 1.25, computedUsd: 0.00055 })
  expect((await anchorhold(world, ['cost'])).stdout).toContain('$1.25; computed here')
})

test('CSV: a line for each model of each row, safe for spreadsheets', async () => {
  const world = makeWorld()
  logFile(world, [one('a', { cwd: '/w/=cmd,"x"' }), ''])
  const { stdout } = await anchorhold(world, ['cost', '--csv', '--by', 'project'])
  const [head, row] = stdout.split('\n')
  expect(head).toMatch(/^project,firstAt,lastAt,model,requests,inputTokens/)
  expect(row).toContain('"/w/=cmd,""x""",')
  expect((await anchorhold(world, ['cost', '--csv', '--json'])).stderr).toContain('--json and --csv cannot be given together')
})

test('the table fits a narrow terminal, and nothing in a log is obeyed by it', async () => {
  const world = makeWorld()
  logFile(world, [one('a', { cwd: '/w/\u001b[31mred\u202e' }), ''])
  const { stdout } = await anchorhold(world, ['cost', '--by', 'project'])
  expect(stdout).not.toMatch(/[\u001b\u202e]/)
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(200)
  for (const line of stdout.split('\n').slice(0, 3)) expect(line.length).toBeLessThanOrEqual(80)
})

test('homes of cells are read; links in them, which an agent made, are not followed', async () => {
  const world = makeWorld()
  const home = path.join(world.home, '.local/share/anchorhold/homes/claude/p-1')
  logFile(world, [one('cell'), ''], '.local/share/anchorhold/homes/claude/p-1/.claude/projects/-w/s.jsonl')
  logFile(world, [one('secret'), ''], 'elsewhere/t.jsonl')
  symlinkSync(path.join(world.home, 'elsewhere'), path.join(home, '.claude/projects/-linked'))
  symlinkSync(path.join(world.home, 'elsewhere/t.jsonl'), path.join(home, '.claude/projects/-w/linked.jsonl'))
  execFileSync('mkfifo', [path.join(home, '.claude/projects/-w/pipe.jsonl')])
  expect((await json(world, [])).totals['requests']).toBe(1)
  // Positive control: the user's own links are followed, and what they lead to counts once.
  mkdirSync(path.join(world.home, '.claude/projects'), { recursive: true })
  for (const name of ['-a', '-b']) symlinkSync(path.join(world.home, 'elsewhere'), path.join(world.home, '.claude/projects', name))
  expect((await json(world, [])).totals['requests']).toBe(2)
})

test('CLAUDE_CONFIG_DIR names the only folder, else both usual ones are read', async () => {
  const world = makeWorld()
  logFile(world, [one('a'), ''])
  logFile(world, [one('a'), one('b'), ''], '.config/claude/projects/-w/s.jsonl')
  logFile(world, [one('c'), ''], 'other/projects/-w/t.jsonl')
  expect((await json(world, [])).totals['requests']).toBe(2)
  expect((await json(world, [], { CLAUDE_CONFIG_DIR: path.join(world.home, 'other') })).totals['requests']).toBe(1)
  expect((await json(world, [], { CLAUDE_CONFIG_DIR: path.join(world.home, 'other/projects') })).totals['requests']).toBe(1)
})

test("nothing of the agent's folder is opened for writing, and no socket is made: seen from outside", async () => {
  const { world, logs } = corpusWorld()
  const before = listing(logs)
  const trace = path.join(world.home, 'trace')
  const { status, stderr } = spawnSync('strace', ['-f', '-qq', '-o', trace, '-e', 'trace=%file,%network,%desc', bin, 'cost', '--json'], {
    env: world.env,
    encoding: 'utf8',
    timeout: 60_000,
  })
  expect(status, stderr).toBe(0)
  const calls = readFileSync(trace, 'utf8').split('\n')
  const opened = calls.filter((line) => /\bopen(at2?)?\(/.test(line) && line.includes(logs))
  expect(opened.length).toBeGreaterThan(0)
  expect(opened.filter((line) => /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(line))).toEqual([])
  expect(
    calls.filter((line) => line.includes(logs) && /\b(unlink|rename|mkdir|chmod|chown|utime|truncate|link|symlink)\w*\(/.test(line)),
  ).toEqual([])
  expect(calls.filter((line) => /\b(socket|connect|bind|sendto)\(/.test(line) && !line.includes('AF_UNIX'))).toEqual([])
  expect(listing(logs)).toEqual(before)
})

function listing(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs, mode } = statSync(path.join(folder, name))
      return `${name} ${size} ${mtimeMs} ${mode}`
    })
}

test('the program that reads costs holds no module that knows a network', () => {
  const seen = new Set<string>()
  const modules = new Set<string>()
  const walk = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const code = readFileSync(file, 'utf8')
    for (const [, name = ''] of code.matchAll(/(?:require|import)\(\s*[`"']([^`"']+)[`"']\s*\)/g)) {
      if (name.startsWith('.')) walk(path.resolve(path.dirname(file), name))
      else modules.add(name.replace(/^node:/, ''))
    }
    expect(code).not.toMatch(/\bfetch\(|new WebSocket\(|new EventSource\(/)
  }
  walk(path.join(root, 'dist/cost.cjs'))
  walk(path.join(root, 'dist/scan-worker.cjs'))
  expect(modules.size).toBeGreaterThan(2)
  expect([...modules].filter((name) => /^(net|tls|dgram|dns|http|https|http2|undici|inspector|child_process)(\/|$)/.test(name))).toEqual([])
})

test('the index: damaged, foreign or gone it is made anew; two runs at once; it lies in the cache and holds no text of a log', async () => {
  const { world, truth, logs } = corpusWorld()
  const folder = path.join(world.home, '.cache/anchorhold')
  await sleep(2100) // the time after which a folder counts as settled
  await json(world, ['--no-index'])
  expect(existsSync(folder)).toBe(false)
  await json(world, [])
  const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.index'))
  const file = path.join(folder, name)
  const bytes = readFileSync(file)
  expect(bytes.includes('"quote" it')).toBe(false)
  expect(statSync(file).mode & 0o77).toBe(0)
  const flipped = Buffer.from(bytes)
  flipped[flipped.length - 40] = (flipped[flipped.length - 40] ?? 0) ^ 1
  for (const spoilt of [flipped, bytes.subarray(0, bytes.length >> 1), Buffer.from('something else'), Buffer.alloc(0)]) {
    writeFileSync(file, spoilt)
    expect((await json(world, [])).totals).toMatchObject(sumsOf(truth.requests))
    expect(readFileSync(file).equals(bytes)).toBe(true)
  }
  const both = await Promise.all(Array.from({ length: 4 }, () => json(world, [])))
  for (const { totals } of both) expect(totals).toMatchObject(sumsOf(truth.requests))
  expect(readdirSync(folder)).toEqual([name])
  // A log that was written anew, and is as long as before.
  const log = logFile(world, [one('x'), ''], '.claude/projects/-w/x.jsonl')
  const before = (await json(world, [])).totals['outputTokens']
  writeFileSync(log, readFileSync(log, 'utf8').replace('"output_tokens":20', '"output_tokens":40'))
  expect((await json(world, [])).totals['outputTokens']).toBe(Number(before) + 20)
  expect(logs).not.toBe('')
})

test('--watch shows what is appended, and ends when it is interrupted', async () => {
  const world = makeWorld()
  const file = logFile(world, [one('a'), ''])
  const child = spawn(bin, ['cost', '--json', '--watch', '1'], { env: { ...world.env }, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  let text = ''
  const next = (): Promise<Json> =>
    new Promise((resolve) => {
      const look = (): void => {
        const line = lines.shift()
        if (line === undefined) child.stdout.once('data', look)
        else resolve(JSON.parse(line) as Json)
      }
      look()
    })
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    const parts = text.split('\n')
    text = parts.pop() ?? ''
    lines.push(...parts)
  })
  expect((await next()).totals['requests']).toBe(1)
  appendFileSync(file, `${one('b')}\n`)
  expect((await next()).totals['requests']).toBe(2)
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.kill('SIGINT')
  expect(await ended).toBe(0)
})

test.each([['statusline'], ['cost', 'statusline']])('%s %s: a line for Claude Code, whatever it is handed', async (...command) => {
  const world = makeWorld()
  const now = new Date().toISOString()
  logFile(world, [one('a', { timestamp: now }, { cache_read_input_tokens: 30 }), ''])
  const state = {
    session_id: 's',
    model: { display_name: 'Opus 5' },
    cost: { total_cost_usd: 0.5 },
    context_window: { used_percentage: 41.5 },
  }
  const { code, stdout } = await anchorhold(world, command, { input: JSON.stringify(state) })
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^Opus 5 · \$0\.0006 session · \$0\.50 reported · context 41% · cache 75% · \$0\.0006 today · \$0\.0006 block, .*left\n$/,
  )
  for (const input of ['', 'no json', '[]', '{"session_id":"unknown"}', '{"model":{"display_name":"\\u001b[31m"}}']) {
    const odd = await anchorhold(world, command, { input })
    expect([odd.code, odd.stdout.split('\n').length]).toEqual([0, 2])
    expect(odd.stdout).toContain('today')
    expect(odd.stdout).not.toContain('\u001b')
  }
})

test('no logs, no usage: said, not failed', async () => {
  const world = makeWorld()
  expect(await anchorhold(world, ['cost'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('No session logs were found') as string,
  })
  expect((await json(world, [])).totals).toMatchObject({ usd: 0, requests: 0, unpricedTokens: 0 })
  expect((await anchorhold(world, ['cost', '--session', 'x'])).stderr).toContain('There is no log of a session "x"')
  expect((await anchorhold(world, ['cost', '--by', 'hour'])).code).toBe(125)
})

test('Codex: repeats and what a fork or a subagent copied count once; cached input is no input', async () => {
  const world = makeWorld()
  const ids = ['0', '1', '2'].map((digit) => `0197000${digit}-0000-7000-8000-000000000001`)
  const line = (type: string, payload: object, second: number): string =>
    JSON.stringify({ timestamp: new Date(Date.UTC(2026, 9, 1, 10, 0, second)).toISOString(), type, payload })
  const usage = (input: number, cached: number, output: number): object => ({
    input_tokens: input,
    cached_input_tokens: cached,
    output_tokens: output,
    total_tokens: input + output,
  })
  const count = (total: readonly [number, number, number], last: readonly [number, number, number], second: number): string =>
    line('event_msg', { type: 'token_count', info: { total_token_usage: usage(...total), last_token_usage: usage(...last) } }, second)
  const first = count([1000, 400, 100], [1000, 400, 100], 1)
  const second = count([3000, 1400, 300], [2000, 1000, 200], 5)
  const meta = (id: string, more: object = {}): string => line('session_meta', { id, cwd: '/w', ...more }, 0)
  const model = line('turn_context', { model: 'gpt-5.2-codex', cwd: '/w' }, 0)
  const file = (id: string): string => `.codex/sessions/2026/10/01/rollout-2026-10-01T10-00-00-${id}.jsonl`
  const [parent = '', fork = '', sub = ''] = ids
  logFile(world, [meta(parent), model, first, first, count([1000, 400, 100], [1000, 400, 100], 3), second, ''], file(parent))
  const own = count([4000, 1400, 400], [1000, 0, 100], 900)
  logFile(
    world,
    [
      meta(fork, { forked_from_id: parent }),
      meta(parent),
      model,
      count([1000, 400, 100], [1000, 400, 100], 800),
      count([3000, 1400, 300], [2000, 1000, 200], 800),
      own,
      '',
    ],
    file(fork),
  )
  const spawned = { source: { subagent: { thread_spawn: { parent_thread_id: parent } } } }
  logFile(
    world,
    [meta(sub, spawned), model, count([1000, 400, 100], [1000, 400, 100], 700), count([1500, 400, 150], [500, 0, 50], 701), ''],
    file(sub),
  )
  const { totals, rows } = await json(world, [])
  expect(totals).toMatchObject({
    requests: 4,
    inputTokens: 600 + 1000 + 1000 + 500,
    cacheReadTokens: 1400,
    outputTokens: 450,
    unpricedTokens: 0,
  })
  expect(totals.usd).toBeCloseTo((3100 * 1.75 + 1400 * 0.175 + 450 * 14) / 1e6, 9)
  expect(Object.fromEntries(rows.map((row) => [row['session'], row['requests']]))).toEqual({ [parent]: 2, [fork]: 1, [sub]: 1 })
  expect(totals['subagents']).toMatchObject({ requests: 1 })
})
