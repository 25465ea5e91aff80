// What `explain host` says of one request, against what a real cell gets, over TLS and without: the same verdict for each, and the server sees what was allowed.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { httpWitness } from '../attacks/witnesses.ts'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'

const policy = (port: number): string => `network:
  allow:
    - host: api.shop.test
      methods: [GET, HEAD]
      paths: ["/v1/**", "/search?q=fixed"]
      deny: ["/v1/keys/**", { methods: [HEAD], paths: ["/v1/large"] }]
      reason: reading the shop
    - api.shop.test: { methods: [POST], paths: ["/v1/orders/*"] }
    - { host: graph.shop.test, paths: [/graphql], graphql: query }
    - open.shop.test
    - plain.shop.test: { methods: [GET] }
  deny:
    - open.shop.test: { methods: [DELETE] }
  routes:
    api.shop.test:443: http://127.0.0.1:${port}
    graph.shop.test:443: http://127.0.0.1:${port}
    open.shop.test:443: http://127.0.0.1:${port}
    plain.shop.test:80: 127.0.0.1:${port}
`

const requests: readonly (readonly [string, string])[] = [
  ['GET', 'https://api.shop.test/v1/items'],
  ['GET', 'https://api.shop.test/v1/items?page=2&x=/../'],
  ['GET', 'https://api.shop.test/v1'],
  ['GET', 'https://api.shop.test/v2/items'],
  ['GET', 'https://api.shop.test/search?q=fixed'],
  ['GET', 'https://api.shop.test/search?q=other'],
  ['GET', 'https://api.shop.test/v1/keys/1'],
  ['GET', 'https://api.shop.test/v1/Keys/1'],
  ['GET', 'https://api.shop.test/v1/../admin'],
  ['GET', 'https://api.shop.test/v1/%2e%2e/admin'],
  ['GET', 'https://api.shop.test/v1//items'],
  ['GET', 'https://api.shop.test/v1/a%2Fb'],
  ['HEAD', 'https://api.shop.test/v1/items'],
  ['HEAD', 'https://api.shop.test/v1/large'],
  ['POST', 'https://api.shop.test/v1/orders/7'],
  ['POST', 'https://api.shop.test/v1/orders/7/cancel'],
  ['POST', 'https://api.shop.test/v1/orders/7?_method=DELETE'],
  ['DELETE', 'https://api.shop.test/v1/orders/7'],
  ['GET', 'https://graph.shop.test/graphql'],
  ['GET', 'https://open.shop.test/any//thing'],
  ['DELETE', 'https://open.shop.test/any'],
  ['PATCH', 'https://open.shop.test/any'],
  ['GET', 'http://plain.shop.test/a/../b'],
  ['POST', 'http://plain.shop.test/a'],
  ['GET', 'https://other.shop.test/'],
]

it('explain and the gateway answer alike', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const folder = path.join(world.home, '.config/anchorhold')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'policy.yaml'), policy(witness.port), { mode: 0o600 })
  const script = requests
    .map(
      ([method, url]) =>
        `printf '%s ' "$(curl -gsS -o /dev/null -w '%{http_code}' --path-as-is ${method === 'HEAD' ? '-I' : `-X ${method}`} '${url}' 2>/dev/null)"`,
    )
    .join('\n')
  const cell = await inCell(world, script, [], { timeoutMilliseconds: 55_000 })
  const got = cell.stdout.trim().split(' ')
  const said: string[] = []
  const wrong: string[] = []
  const answers = new Map<string, { verdict: string; reason: string; remedy?: string }>()
  for (const method of new Set(requests.map(([each]) => each))) {
    const urls = requests.filter(([each]) => each === method).map(([, url]) => url)
    const { stdout } = await anchorhold(world, ['explain', 'host', '--method', method, '--json', '--', ...urls])
    const lines = stdout.trim().split('\n')
    for (const [index, url] of urls.entries())
      answers.set(`${method} ${url}`, JSON.parse(lines[index] ?? '') as { verdict: string; reason: string })
  }
  for (const [index, [method, url]] of requests.entries()) {
    const answer = answers.get(`${method} ${url}`)
    if (answer === undefined) throw new Error(`no answer for ${url}`)
    said.push(answer.verdict)
    const passed = got[index] === '200'
    if (passed !== (answer.verdict === 'allow')) wrong.push(`${method} ${url}: ${got[index]}, but ${JSON.stringify(answer)}`)
    if (answer.verdict === 'deny')
      expect(answer.remedy ?? answer.reason, url).toMatch(/anchorhold|policy\.yaml|plain form|POST|another method/)
  }
  expect(wrong, cell.stderr).toEqual([])
  expect(witness.requests.map(({ method, headers, url }) => `${method} ${headers.host} ${url}`)).toEqual(
    requests.flatMap(([method, url], index) => {
      const [, host, target] = /^https?:\/\/([^/]+)(.*)$/.exec(url) ?? []
      return said[index] === 'allow' ? [`${method} ${host} ${target}`] : []
    }),
  )
  expect(said.filter((verdict) => verdict === 'allow')).toHaveLength(9)
})

it('says of a host which requests it is held to, of a GraphQL path its condition, and of nonsense that it is that', async () => {
  const world = makeWorld()
  const file = path.join(world.home, 'p.yaml')
  writeFileSync(file, policy(9), { mode: 0o600 })
  const explain = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await anchorhold(world, ['explain', 'host', '--policy', file, ...args])
    return stdout + stderr
  }
  expect(await explain('api.shop.test')).toMatch(
    /denied: api\.shop\.test \(\/v1\/keys\/\*\*\).*allowed: api\.shop\.test \(GET,HEAD .*--method and --path/s,
  )
  expect(await explain('graph.shop.test', '--method', 'POST', '--path', '/graphql')).toMatch(
    /allow\n.*where its body is nothing but GraphQL queries/,
  )
  expect(await explain('api.shop.test', '--method', 'post', '--path', '/v1')).toMatch(/a method is written in capitals/)
  expect(await explain('api.shop.test', '--path', 'v1')).toMatch(/a path starts with \//)
  expect(await explain('https://api.shop.test/v1', '--path', '/v1')).toMatch(/--path stands beside a host/)
  expect(await explain('https://a@api.shop.test/v1')).toMatch(/not a host name/)
})
