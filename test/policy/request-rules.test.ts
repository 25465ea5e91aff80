// PRX-51. Rules by method, path and GraphQL, from the file to the verdict: deny beats allow, a project only narrows, nothing is silently without effect.
import { afterAll, describe, expect, it } from 'vitest'
import type { LoadedPolicy } from '../../src/policy/load.ts'
import { canonicalHost } from '../../src/policy/host-name.ts'
import { judge } from '../../src/policy/judge.ts'
import { judgeRequest, requestRules } from '../../src/policy/judge-request.ts'
import { makePlace } from './fixture.ts'

const places = new DisposableStack()
afterAll(() => places.dispose())

function place(): ReturnType<typeof makePlace> {
  return places.use(makePlace())
}

/** 'allow', 'graphql', or the code of the refusal; 'whole' where requests are not read. */
function ask({ policy }: LoadedPolicy, host: string, method: string, target: string, port = 443): string {
  const destination = { host: canonicalHost(host), port }
  const verdict = judge(policy.network, destination)
  if (verdict.effect === 'deny') return verdict.code
  const rules = requestRules(policy.network, destination)
  if (rules === undefined) return 'whole'
  const answer = judgeRequest(rules, method, target)
  return answer.kind === 'refuse' ? answer.refusal.code : answer.kind
}

const github = `network:
  allow:
    - host: api.github.test
      methods: [GET]
      paths: ["/repos/me/x/**"]
      deny: ["/repos/me/x/secrets/**"]
      reason: read-only API
`

describe('one rule', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['GET', '/repos/me/x/issues', 'allow'],
    ['GET', '/repos/me/x/issues?state=open', 'allow'],
    ['GET', '/repos/me/x', 'allow'],
    ['GET', '/repos/me/y/issues', 'path'],
    ['GET', '/repos/me/x2', 'path'],
    ['POST', '/repos/me/x/issues', 'method'],
    ['HEAD', '/repos/me/x', 'method'],
    ['GET', '/repos/me/x/secrets', 'denied'],
    ['GET', '/repos/me/x/secrets/', 'denied'],
    ['GET', '/repos/me/x/Secrets/a', 'denied'],
    ['GET', '/repos/me/x/secrets?x=/../', 'denied'],
    ['POST', '/repos/me/x/secrets/a', 'denied'],
    ['GET', '/repos/me/x/../y', 'odd-path'],
    ['GET', '/repos/me/x/%2e%2e/y', 'odd-path'],
    ['GET', '/repos/me/x/%73ecrets/a', 'odd-path'],
    ['GET', '/repos/me//x/a', 'odd-path'],
    ['GET', '/repos/me/x/a;b', 'odd-path'],
    ['GET', '/repos/me/x/a%2Fb', 'odd-path'],
    ['GET', '/repos/me/x/a?b=%2e%2e/%2F;', 'allow'],
    ['GET', '/repos/me/x/a?_method=DELETE', 'method-override'],
    ['GET', '/repos/me/x/a?x=1&%5Fmethod=DELETE', 'method-override'],
    ['GET', '/repos/me/x/a?X-HTTP-Method-Override=PUT', 'method-override'],
    ['GET', '/repos/me/x/a?$httpMethod=PUT', 'method-override'],
  ]
  it.each(rows)('%s %s: %s', async (method, target, expected) => {
    const at = place()
    at.user(github)
    expect(ask(await at.load(), 'api.github.test', method, target)).toBe(expected)
  })
})

it('the short form says the same', async () => {
  const [long, short] = [place(), place()]
  long.user(github)
  short.user(
    'network:\n  allow:\n    - api.github.test: {methods: [GET], paths: ["/repos/me/x/**"], deny: ["/repos/me/x/secrets/**"], reason: read-only API}\n',
  )
  const strip = ({ policy }: LoadedPolicy): unknown => policy.network.rules.map(({ origin: _origin, ...rule }) => rule)
  expect(strip(await short.load())).toEqual(strip(await long.load()))
})

it('a deny of certain requests holds where the host is allowed as a whole, by a flag too', async () => {
  const at = place()
  at.user('network:\n  allow: [a.test]\n  deny:\n    - {host: a.test, methods: [DELETE]}\n    - "*.b.test": {paths: [/admin/**]}\n')
  const loaded = await at.load({ allow: ['x.b.test'] })
  expect(ask(loaded, 'a.test', 'DELETE', '/x')).toBe('denied')
  expect(ask(loaded, 'a.test', 'GET', '/x//y')).toBe('allow')
  expect(ask(loaded, 'x.b.test', 'GET', '/Admin/x')).toBe('denied')
  expect(ask(loaded, 'x.b.test', 'GET', '/a/..//admin')).toBe('odd-path')
  expect(ask(loaded, 'x.b.test', 'GET', '/free')).toBe('allow')
  expect(ask(loaded, 'a.test', 'DELETE', '/x', 80)).toBe('denied')
})

it('a deny within a rule holds against every other rule of the host, and only there', async () => {
  const at = place()
  at.user('network:\n  allow:\n    - {host: a.test, methods: [GET], deny: [/keys/**, {methods: [PUT]}]}\n    - a.test\n    - b.test\n')
  const loaded = await at.load()
  expect(ask(loaded, 'a.test', 'GET', '/keys/1')).toBe('denied')
  expect(ask(loaded, 'a.test', 'PUT', '/x')).toBe('denied')
  expect(ask(loaded, 'a.test', 'POST', '/x')).toBe('allow')
  expect(ask(loaded, 'b.test', 'PUT', '/keys/1')).toBe('whole')
})

it('allows add up, and a limit that holds nothing back is called so', async () => {
  const at = place()
  at.user(github)
  const loaded = await at.load({ allow: ['api.github.test'] })
  expect(ask(loaded, 'api.github.test', 'POST', '/x')).toBe('allow')
  expect(ask(loaded, 'api.github.test', 'GET', '/repos/me/x/secrets')).toBe('denied')
  expect(loaded.notes.join('\n')).toMatch(/api\.github\.test \(GET .*holds nothing back/)
  expect((await at.load()).notes).toEqual([])
})

it('a route leads somewhere; it lifts no limit', async () => {
  const at = place()
  at.user(github)
  const loaded = await at.load({ route: ['api.github.test:443=127.0.0.1:8443'] })
  expect(ask(loaded, 'api.github.test', 'POST', '/repos/me/x/issues')).toBe('method')
  expect(ask(loaded, 'api.github.test', 'GET', '/repos/me/x/issues')).toBe('allow')
})

it('a path that cannot be read one way only matters where a rule is about paths', async () => {
  const at = place()
  at.user('network:\n  allow:\n    - {host: a.test, methods: [GET]}\n    - {host: a.test, methods: [POST], paths: [/ok]}\n')
  const loaded = await at.load()
  expect(ask(loaded, 'a.test', 'GET', '/@scope%2fname')).toBe('allow')
  expect(ask(loaded, 'a.test', 'POST', '/ok')).toBe('allow')
  expect(ask(loaded, 'a.test', 'POST', '/%6fk')).toBe('odd-path')
})

it('a GraphQL path is one for every rule', async () => {
  const at = place()
  at.user('network:\n  allow:\n    - {host: a.test, methods: [GET, POST, PUT]}\n    - {host: a.test, paths: [/graphql], graphql: query}\n')
  const loaded = await at.load()
  expect(ask(loaded, 'a.test', 'POST', '/graphql')).toBe('graphql')
  for (const path of ['/graphql/', '/GraphQL', '/graphql.']) expect(ask(loaded, 'a.test', 'POST', path)).toBe('graphql')
  for (const target of ['/graphql?query={a}', '/graphql?', '/graphql?x']) expect(ask(loaded, 'a.test', 'GET', target)).toBe('graphql')
  expect(ask(loaded, 'a.test', 'PUT', '/graphql')).toBe('graphql')
  for (const method of ['POST', 'PUT']) expect(ask(loaded, 'a.test', method, '//graphql')).toBe('odd-path')
  expect(ask(loaded, 'a.test', 'GET', '//graphql?query={a}')).toBe('odd-path')
  expect(ask(loaded, 'a.test', 'GET', '/x/..%2fgraphql?a=b&%71uery={a}')).toBe('odd-path')
  // Reading with an escaped slash (a branch, a file) is not refused for a GraphQL path beside it; its body must be empty.
  expect(ask(loaded, 'a.test', 'GET', '/branches/feature%2Fx?ref=main')).toBe('graphql')
  expect(ask(loaded, 'a.test', 'POST', '/other')).toBe('allow')
})

it('a GraphQL path is held where the host is allowed as a whole, too', async () => {
  const at = place()
  at.user('network:\n  allow:\n    - a.test\n    - {host: a.test, paths: [/graphql], graphql: query}\n')
  const loaded = await at.load()
  expect(ask(loaded, 'a.test', 'POST', '/graphql')).toBe('graphql')
  expect(ask(loaded, 'a.test', 'PUT', '/graphql')).toBe('graphql')
  expect(ask(loaded, 'a.test', 'DELETE', '/other')).toBe('allow')
  expect(loaded.notes).toEqual([])
})

const refused: readonly (readonly [string, string])[] = [
  ['an empty list of methods', '{host: a.test, methods: []}'],
  ['an empty list of paths', '{host: a.test, paths: []}'],
  ['a method in lower case', '{host: a.test, methods: [get]}'],
  ['a method that never passes', '{host: a.test, methods: [TRACE]}'],
  ['a method that is none', '{host: a.test, methods: ["GE T"]}'],
  ['a path without a slash', '{host: a.test, paths: [a]}'],
  ['a path that no request has', '{host: a.test, paths: [/a/../b]}'],
  ['stars in a word', '{host: a.test, paths: [/a**]}'],
  ['GraphQL without paths', '{host: a.test, graphql: query}'],
  ['GraphQL by GET', '{host: a.test, graphql: query, methods: [GET], paths: [/g]}'],
  ['an empty deny', '{host: a.test, deny: [{}]}'],
  ['a query in a deny', '{host: a.test, deny: ["/a?b"]}'],
  ['a path in the host', '{host: a.test/x, methods: [GET]}'],
]
it.each(refused)('refuses the start for %s', async (_name, entry) => {
  const at = place()
  at.user(`network:\n  allow:\n    - ${entry}\n`)
  await expect(at.load()).rejects.toMatchObject({ code: expect.stringMatching(/^policy\/bad-(?:requests|rule)$/) })
})

describe('a project only narrows', () => {
  const user =
    'network:\n  allow:\n    - {host: a.test, methods: [GET, HEAD], paths: ["/x/**"]}\n    - {host: g.test, paths: [/graphql], graphql: query}\n    - npm\n    - github\n'
  const narrower = [
    '{host: a.test, methods: [GET], paths: ["/x/y/*"]}',
    '{host: a.test, methods: [HEAD], paths: ["/x/**/z", "/x"], deny: [/x/k]}',
    '{host: g.test, paths: [/graphql], graphql: query}',
    'npm-install',
    'github-read',
  ]
  it.each(narrower)('%s needs no approval', async (entry) => {
    const at = place()
    at.user(user)
    at.projectFile(`network:\n  allow:\n    - ${entry}\n`)
    await expect(at.load()).resolves.toBeDefined()
  })
  const wider = [
    'a.test',
    '{host: a.test, methods: [GET]}',
    '{host: a.test, paths: ["/x/**"]}',
    '{host: a.test, methods: [POST], paths: ["/x/**"]}',
    '{host: a.test, methods: [GET], paths: ["/**"]}',
    '{host: a.test, methods: [GET], paths: ["/x/../y"]}',
    '{host: a.test, methods: [GET], paths: ["/**/x"]}',
    '{host: g.test, methods: [POST], paths: [/graphql]}',
    'pip-install',
  ]
  it.each(wider)('%s does, or is no rule', async (entry) => {
    const at = place()
    at.user(user)
    at.projectFile(`network:\n  allow:\n    - ${entry}\n`)
    await expect(at.load()).rejects.toMatchObject({ code: expect.stringMatching(/^policy\//) })
  })
  it('a deny of certain requests is the project’s to add', async () => {
    const at = place()
    at.user('network:\n  allow: [a.test]\n')
    at.projectFile('network:\n  deny:\n    - {host: a.test, methods: [DELETE]}\n')
    const loaded = await at.load()
    expect(ask(loaded, 'a.test', 'DELETE', '/')).toBe('denied')
    expect(ask(loaded, 'a.test', 'GET', '/')).toBe('allow')
  })
})

describe('presets for reading', () => {
  it('npm-install: everything is fetched and audited, nothing is published or taken back', async () => {
    const at = place()
    const loaded = await at.load({ allow: ['npm-install'] })
    const npm = (method: string, target: string): string => ask(loaded, 'registry.company.test', method, target)
    for (const target of ['/left-pad', '/@scope%2fname', '/left-pad/-/left-pad-1.0.0.tgz', '/-/v1/search?text=x'])
      expect(npm('GET', target)).toBe('allow')
    expect(npm('POST', '/-/npm/v1/security/advisories/bulk')).toBe('allow')
    expect(npm('POST', '/a/path/-/npm/v1/security/audits/quick')).toBe('allow')
    expect(npm('PUT', '/left-pad')).toBe('method')
    expect(npm('PUT', '/@scope%2fname')).toBe('method')
    expect(npm('DELETE', '/left-pad/-rev/1')).toBe('method')
    expect(npm('PUT', '/-/user/org.couchdb.user:me')).toBe('method')
    expect(npm('POST', '/-/npm/v1/tokens')).toBe('path')
    expect(npm('POST', '/-/v1/login')).toBe('path')
    expect(npm('POST', '/-/npm/v1/security/advisories/bulk/../../tokens')).toBe('odd-path')
  })
  it('github-read: clone and fetch, the API for reading, GraphQL queries; no push and no change', async () => {
    const at = place()
    const loaded = await at.load({ allow: ['github-read'] })
    const git = (method: string, target: string): string => ask(loaded, 'github.com', method, target)
    expect(git('GET', '/me/x.git/info/refs?service=git-upload-pack')).toBe('allow')
    expect(git('POST', '/me/x.git/git-upload-pack')).toBe('allow')
    expect(git('POST', '/me/x/git-upload-pack')).toBe('allow')
    expect(git('GET', '/me/x.git/info/refs?service=git-receive-pack')).toBe('path')
    expect(git('GET', '/me/x.git/info/refs')).toBe('path')
    expect(git('GET', '/me/x.git/info/refs?service=git-upload-pack&service=git-receive-pack')).toBe('path')
    expect(git('POST', '/me/x.git/git-receive-pack')).toBe('path')
    expect(git('GET', '/me/x/releases/download/v1/a.tgz')).toBe('allow')
    expect(git('GET', '/login')).toBe('path')
    const api = (method: string, target: string): string => ask(loaded, 'api.github.com', method, target)
    expect(api('GET', '/repos/me/x/contents/a%20b')).toBe('allow')
    for (const method of ['POST', 'PATCH', 'PUT', 'DELETE']) expect(api(method, '/repos/me/x/issues')).not.toBe('allow')
    expect(api('POST', '/gists')).toBe('path')
    expect(api('POST', '/graphql')).toBe('graphql')
    expect(api('GET', '/graphql?query=mutation')).toBe('graphql')
    expect(ask(loaded, 'raw.githubusercontent.com', 'GET', '/me/x/main/a')).toBe('allow')
    expect(ask(loaded, 'raw.githubusercontent.com', 'POST', '/me/x/main/a')).toBe('method')
    expect(ask(loaded, 'uploads.github.com', 'GET', '/')).toBe('not-listed')
  })
  it('pip-install is not known where pip is not', async () => {
    await expect(place().load({ allow: ['pip-install'] })).rejects.toMatchObject({ code: 'policy/unknown-preset' })
    await expect(place().load({ allow: ['nmp-install'] })).rejects.toThrow(/npm-install/)
  })
})

it('a refusal names the rule, and how to change it; the cell’s own words stand in it only where they are plain', async () => {
  const at = place()
  const file = at.user(github)
  const rules = requestRules((await at.load()).policy.network, { host: canonicalHost('api.github.test'), port: 443 })
  if (rules === undefined) throw new Error('no rules')
  const told = (method: string, target: string): { reason: string; remedy?: string } => {
    const verdict = judgeRequest(rules, method, target)
    if (verdict.kind !== 'refuse') throw new Error('not refused')
    return verdict.refusal
  }
  expect(told('POST', '/repos/me/x/y').reason).toContain(`${file}:3`)
  expect(told('POST', '/repos/me/x/y').remedy).toMatch(
    /add methods: \[GET, POST\] to the rule in .*policy\.yaml:3, or allow the host as a whole: anchorhold run --allow api\.github\.test …/,
  )
  expect(told('GET', '/user').remedy).toMatch(/add the path \/user to the rule/)
  for (const target of ['/$(touch%20x)', "/'x'", '/a&b', `/${'a'.repeat(5000)}`, '/x?$(id)']) {
    const { reason, remedy } = told('GET', target)
    expect(reason + (remedy ?? '')).not.toMatch(/[$'&]|touch|aaaa|\(id/)
    expect((reason + (remedy ?? '')).length).toBeLessThan(1000)
  }
  expect(told('X'.repeat(5000), '/a').reason.length).toBeLessThan(500)
})
