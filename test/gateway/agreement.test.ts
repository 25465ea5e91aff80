// PRX-56: for thousands of authorities, what was matched, resolved, dialled, named in TLS and in Host agree, or the request is refused.
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { parseClientHello } from '../../src/gateway/hello/parse.ts'
import { judgeHello } from '../../src/gateway/hello/read.ts'
import { readAsk } from '../../src/gateway/http/ask.ts'
import { parseHead } from '../../src/gateway/http/head.ts'
import { judgeText } from '../../src/gateway/judging.ts'
import { makeNames } from '../../src/gateway/names/table.ts'
import { resolve } from '../../src/gateway/dial/resolve.ts'
import { helloRecords } from './fixtures/hello.ts'
import { allow, cleanUp, dial, exchange, httpResponder, rig, route, witness } from './fixtures/rig.ts'

afterEach(cleanUp)

const seeds = [
  'api.allowed.test',
  'a.wild.test',
  'evil.test',
  'wild.test',
  'localhost',
  '127.0.0.1',
  '127.1',
  '0x7f000001',
  '2130706433',
  '[::1]',
  '::1',
  '169.254.169.254',
  'xn--pi-7ja.test',
  'api.allowed.test.evil.test',
]
const spice = [
  '',
  '.',
  '..',
  '\0',
  '%00',
  '%2e',
  '@',
  ':',
  ':443',
  ':80',
  ':0443',
  '#',
  '?',
  '/',
  '\\',
  ' ',
  '\t',
  '\r\n',
  '"',
  '\u00ad',
  '\u3002',
  '\uff0e',
  '\u24d0',
  '\u0430',
  '[',
  ']',
  '*',
  '-',
  '_',
  ',',
  ';',
  '\x80',
  'A',
]
const authority = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...seeds) },
      { weight: 2, arbitrary: fc.constantFrom(...spice) },
      fc.string({ maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(''))
  .chain((text) => fc.constantFrom(text, text.toUpperCase(), `${text}:443`, `${text}:80`))

it('over 10,000 authorities every step speaks of the same host', async () => {
  const network = { rules: [allow('api.allowed.test'), allow('*.wild.test')], routes: [] }
  const names = makeNames('198.18.0.2', 100)
  let passed = 0
  await fc.assert(
    fc.asyncProperty(authority, async (text) => {
      const latin = Buffer.from(text).toString('latin1')
      for (const raw of [
        `CONNECT ${latin} HTTP/1.1\r\nHost: ${latin}\r\n\r\n`,
        `GET http://${latin}/ HTTP/1.1\r\nHost: ${latin}\r\n\r\n`,
      ]) {
        const head = parseHead(raw, 100)
        const ask = head.kind === 'head' ? readAsk(head.head, 'proxy') : undefined
        if (ask === undefined || ask.kind === 'bad') continue
        const judged = judgeText(network, names, ask.host, ask.port)
        if (judged.kind === 'refused') continue
        passed += 1
        const { host } = judged.target
        expect(host === 'api.allowed.test' || /^[a-z0-9_.-]+\.wild\.test$/.test(host)).toBe(true)
        const resolved: string[] = []
        const reach = await resolve(network, judged.target, {
          parents: [],
          purpose: 'tunnel',
          resolver: async (name) => (resolved.push(name), ['93.184.216.34']),
        })
        expect(resolved).toEqual([host])
        expect(reach).toEqual({ kind: 'direct', endpoints: [{ address: '93.184.216.34', port: judged.target.port }] })
        // The name in TLS agrees exactly when it is the same host; what was asked for is what an unsuspecting client would send.
        expect(judgeHello(parseClientHello(helloRecords({ name: host }), 65_536), host)).toBeUndefined()
        expect(latin.toLowerCase().startsWith(host) || latin.toLowerCase().startsWith(`${host}.`)).toBe(true)
      }
    }),
    { numRuns: 10_000 },
  )
  expect(passed).toBeGreaterThan(100)
})

it('on the wire: a server behind an allowed name never sees another Host', async () => {
  const outside = await witness(httpResponder())
  const cell = await rig({
    rules: [allow('api.allowed.test'), allow('*.wild.test')],
    routes: [route('api.allowed.test', 80, outside.port), route('a.wild.test', 80, outside.port)],
  })
  let served = 0
  await fc.assert(
    fc.asyncProperty(authority, authority, fc.boolean(), async (first, second, same) => {
      const raw = `GET http://${first}/ HTTP/1.1\r\nHost: ${same ? first : second}\r\nConnection: close\r\n\r\n`
      const answer = await exchange(await dial(cell.port('http-proxy')), Buffer.from(raw), 500)
      if (answer.startsWith('HTTP/1.1 200')) served += 1
    }),
    {
      numRuns: 400,
      examples: [
        ['api.allowed.test', '', true],
        ['A.WILD.test.:80', '', true],
        ['api.allowed.test', 'evil.test', false],
      ],
    },
  )
  const hosts = new Set(outside.text().match(/^Host: .*$/gm))
  for (const host of hosts) expect(['Host: api.allowed.test', 'Host: a.wild.test']).toContain(host)
  expect(outside.text().match(/^GET /gm)).toHaveLength(served)
  expect(served).toBeGreaterThan(1)
  expect(cell.names.every((name) => /^(?:api\.allowed|[a-z0-9_.-]+\.wild)\.test$/.test(name))).toBe(true)
})
