// The steps at work: order, refusals, answers, changes, watches. A gateway on loopback, the steps of the test's own, a witness outside.
import type { Socket } from 'node:net'
import { Transform } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import type { Step, StepRequest, StepResult } from '../../../src/gateway/steps/step.ts'
import { allow, cleanUp, exchange, httpResponder, readUntil, rig, route, witness } from '../fixtures/rig.ts'

afterEach(cleanUp)

function step(request: (request: StepRequest) => Promise<StepResult> | StepResult, name = 'test', host = 'good.test'): Step {
  return { name, concerns: (target) => (target.host === host ? 'the test reads it' : undefined), request }
}

const post = (body: string, more = ''): string =>
  `POST /p HTTP/1.1\r\nHost: good.test\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}Connection: close\r\n\r\n${body}`
const plain = 'GET /p?q HTTP/1.1\r\nHost: good.test\r\nX-A: b\r\nConnection: close\r\n\r\n'

async function open(steps: readonly Step[], respond = httpResponder()) {
  const outside = await witness(respond)
  const cell = await rig({
    rules: [allow('good.test'), allow('other.test'), allow('good.test:9000')],
    routes: [
      route('good.test', 80, outside.port),
      route('other.test', 80, outside.port),
      route('good.test', 9000, outside.port),
      route('good.test', 443, outside.port),
    ],
    ports: [9000],
    steps,
  })
  return { outside, cell, ask: async (text: string, name = 'good.test', port = 80) => exchange(await cell.connect(name, port), text) }
}

it('each step sees what the one before made of the request, and the server gets the last of it', async () => {
  const seen: unknown[] = []
  const { outside, ask } = await open([
    step(({ method, path, fields, safe, websocket }) => {
      seen.push({ method, path, fields, safe, websocket })
      return { kind: 'pass', change: { path: '/new?x', fields: [...fields, ['X-Key', 'one']] } }
    }),
    step(() => expect.fail('not its host'), 'other', 'other.test'),
    step(({ path, fields }) => {
      seen.push({ path, fields })
      return { kind: 'pass', change: { fields: fields.map(([name, value]) => [name, value === 'one' ? 'two' : value]) } }
    }),
  ])
  expect(await ask(plain)).toContain(' 200 ')
  expect(seen).toEqual([
    { method: 'GET', path: '/p?q', fields: [['X-A', 'b']], safe: true, websocket: false },
    {
      path: '/new?x',
      fields: [
        ['X-A', 'b'],
        ['X-Key', 'one'],
      ],
    },
  ])
  expect(outside.text()).toBe('GET /new?x HTTP/1.1\r\nHost: good.test\r\nX-A: b\r\nX-Key: two\r\nConnection: keep-alive\r\n\r\n')
})

it('a route to another machine over plain HTTP is not safe, and a step is told so', async () => {
  const seen: boolean[] = []
  const cell = await rig({
    rules: [allow('good.test')],
    routes: [route('good.test', 80, 1, '192.0.2.1')],
    steps: [step(({ safe }) => (seen.push(safe), { kind: 'refuse', refusal: { code: 'unsafe', reason: 'over plain HTTP' } }))],
  })
  expect(await exchange(await cell.connect('good.test', 80), plain)).toContain('403 Forbidden')
  expect(seen).toEqual([false])
})

it.each<[string, (request: StepRequest) => Promise<StepResult> | StepResult, string]>([
  ['refuses', () => ({ kind: 'refuse', refusal: { code: 'no-push', reason: 'pushing is not allowed', remedy: 'do this' } }), 'no-push'],
  [
    'throws',
    () => {
      throw new Error('sk-secret')
    },
    'step-failed',
  ],
  ['rejects', () => Promise.reject(new Error('sk-secret')), 'step-failed'],
  ['breaks a line by a field', () => ({ kind: 'pass', change: { fields: [['X', 'a\r\nEvil: b']] } }), 'step-failed'],
  ['frames by itself', () => ({ kind: 'pass', change: { fields: [['Content-Length', '3']] } }), 'step-failed'],
  ['breaks a line by the path', () => ({ kind: 'pass', change: { path: '/ HTTP/1.1\r\nA:' } }), 'step-failed'],
])('a step that %s keeps the request in', async (_what, judge, code) => {
  const { outside, cell, ask } = await open([step(judge), step(() => expect.fail('asked after a refusal'))])
  const answer = await ask(post('body'))
  expect(answer).toMatch(/^HTTP\/1\.1 403 .*Connection: close/s)
  expect(answer).toContain(`(${code})`)
  expect(answer).not.toContain('sk-secret')
  expect(JSON.stringify(cell.events)).toContain(`"code":"${code}"`)
  expect(JSON.stringify(cell.events)).not.toContain('sk-secret')
  expect(outside.hits).toHaveLength(0)
})

it('a step answers by itself, and the connection goes on where the request was read', async () => {
  const answers: StepResult = {
    kind: 'answer',
    status: 429,
    fields: [['Content-Type', 'application/json']],
    body: Buffer.from('{"spent":1}'),
    refusal: { code: 'budget', reason: 'spent' },
  }
  const { outside, cell } = await open([step(() => answers)])
  const socket = await cell.connect('good.test', 80)
  for (let i = 0; i < 2; i++) {
    socket.write('GET / HTTP/1.1\r\nHost: good.test\r\n\r\n')
    const text = await readUntil(socket, (got) => got.endsWith('}'))
    expect(text).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n.*Content-Length: 11\r\nConnection: keep-alive\r\n\r\n\{"spent":1\}$/s)
  }
  expect(outside.hits).toHaveLength(0)
  expect(cell.events.filter((event) => event.kind === 'network.refused')).toMatchObject([{ code: 'budget' }])
})

it('a step looks at the body without taking it, bounded, and may put another one in its place', async () => {
  const body = 'x'.repeat(300_000)
  const seen: unknown[] = []
  const { outside, ask } = await open(
    [
      step(async ({ body: view }) => {
        seen.push(
          view.length,
          (await view.peek(10)).toString().startsWith('xxxxxxxxxx'),
          await view.whole(1_000),
          (await view.whole(400_000))?.length,
        )
        return { kind: 'pass' }
      }),
    ],
    (socket) => {
      let got = 0
      socket.on('data', (chunk: Buffer) =>
        (got += chunk.length) > 300_000 ? socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok') : undefined,
      )
    },
  )
  expect(await ask(post(body))).toContain(' 200 ')
  expect(seen).toEqual([300_000, true, undefined, 300_000])
  expect(outside.text().split('\r\n\r\n')[1]).toBe(body)
  const changed = await open([
    step(async ({ body: view }) => ({ kind: 'pass', change: { body: Buffer.from(`<${(await view.whole(99))?.toString()}>`) } })),
    step(async ({ body: view }) => ({ kind: 'pass', change: { body: Buffer.from(`[${(await view.whole(99))?.toString()}]`) } })),
  ])
  expect(await changed.ask(post('abc'))).toContain(' 200 ')
  expect(changed.outside.text()).toMatch(/Content-Length: 7\r\nConnection: keep-alive\r\n\r\n\[<abc>\]$/)
})

it('a body goes through a stream of a step, in chunks', async () => {
  const louder = new Transform({ transform: (chunk: Buffer, _encoding, done) => done(null, chunk.toString().toUpperCase()) })
  const { outside, cell } = await open([step(() => ({ kind: 'pass', change: { body: louder } }))])
  const socket = await cell.connect('good.test', 80)
  socket.write(post('abc'))
  await expect.poll(() => outside.text()).toMatch(/Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nABC\r\n0\r\n\r\n$/)
})

it('a body that is malformed is refused while a step waits for it', async () => {
  const { outside, ask } = await open([step(async ({ body }) => (await body.whole(1_000), { kind: 'pass' }))])
  expect(await ask('POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')).toContain(' 400 ')
  expect(outside.hits).toHaveLength(0)
})

it('taps see what the server sent, heads and streams change what the cell gets, the last step first', async () => {
  const tapped: string[] = []
  const order: string[] = []
  const wrap = (mark: string): Step =>
    step(() => ({
      kind: 'pass',
      watch: {
        head: ({ fields }) => {
          order.push(mark)
          return {
            fields: [...fields.filter(([name]) => name !== 'X-Key'), ['X-Seen', mark]],
            through: new Transform({ transform: (chunk: Buffer, _encoding, done) => done(null, `${mark}${chunk.toString()}`) }),
          }
        },
        tap: {
          head: ({ status }) => tapped.push(`${status}`),
          data: (chunk) => tapped.push(chunk.toString()),
          end: (whole) => tapped.push(`${whole}`),
        },
      },
    }))
  const { ask } = await open([wrap('1'), wrap('2')], httpResponder('secret', 'X-Key: k\r\n'))
  const answer = await ask(plain)
  expect(order).toEqual(['2', '1'])
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nX-Seen: 2\r\nX-Seen: 1\r\nTransfer-Encoding: chunked\r\n/)
  expect(answer.endsWith('\r\n\r\n8\r\n12secret\r\n0\r\n\r\n')).toBe(true)
  expect(tapped).toEqual(['200', '200', 'secret', 'secret', 'true', 'true'])
})

it('a watch that throws cuts, a tap that throws is left alone, a broken answer is told as such', async () => {
  const thrower = await open([
    step(() => ({
      kind: 'pass',
      watch: {
        head: () => {
          throw new Error('sk-secret')
        },
      },
    })),
  ])
  expect(await thrower.ask(plain)).toMatch(/^HTTP\/1\.1 502 (?!.*sk-secret)/s)
  const ends: boolean[] = []
  const tap = {
    head: () => {
      throw new Error('no')
    },
    data: () => expect.fail('asked again'),
    end: () => expect.fail('asked again'),
  }
  const tapper = await open(
    [
      step(() => ({ kind: 'pass', watch: { tap } })),
      step(() => ({ kind: 'pass', watch: { tap: { head: () => undefined, data: () => undefined, end: (whole) => ends.push(whole) } } })),
    ],
    (socket) => void socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')),
  )
  await tapper.ask(plain)
  expect(ends).toEqual([false])
})

it('trailers pass, but not where a step changes answers', async () => {
  const sent = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n'
  const respond = (socket: Socket) => void socket.on('data', () => socket.write(sent))
  const tap = { head: () => undefined, data: () => undefined, end: () => undefined }
  expect(await (await open([step(() => ({ kind: 'pass', watch: { tap } }))], respond)).ask(plain)).toMatch(
    /\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n$/,
  )
  expect(await (await open([step(() => ({ kind: 'pass', watch: { head: () => ({}) } }))], respond)).ask(plain)).toMatch(
    /\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/,
  )
})

it('what a step must read is never tunnelled: raw bytes and TLS that is not ended are refused', async () => {
  const { outside, cell, ask } = await open([step(() => ({ kind: 'pass' }))])
  expect(await ask('SSH-2.0-x\r\n\r\n', 'good.test', 9000)).not.toContain('hello')
  expect(outside.hits).toHaveLength(0)
  // Control: the same port is readable as HTTP.
  expect(await ask('GET / HTTP/1.1\r\nHost: good.test:9000\r\nConnection: close\r\n\r\n', 'good.test', 9000)).toContain(' 200 ')
  expect(cell.events.some((event) => event.kind === 'network.refused')).toBe(true)
})
