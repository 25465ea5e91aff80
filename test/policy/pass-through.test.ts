// Hosts whose TLS is never ended: what they mean, and that nothing else of a policy may have to read them.
import { expect, it } from 'vitest'
import { makePlace } from './fixture.ts'

it('a host without a port is passed through at every port, and is not allowed by it', async () => {
  using place = makePlace()
  place.user('network:\n  allow: [a.test]\n  passThrough: [a.test, "*.b.test:8443"]\n')
  const { network } = (await place.load()).policy
  expect(network.passThrough).toMatchObject([
    { pattern: { kind: 'host', host: 'a.test' }, ports: 'all', origin: { line: 3 } },
    { pattern: { kind: 'subdomains', suffix: 'b.test' }, ports: [8443] },
  ])
  expect(network.rules).toHaveLength(1)
})

it.each([
  [
    'a secret',
    'secrets: [{ name: A_TOKEN, from: env, hosts: [api.test] }]',
    'passThrough: [api.test]',
    'the secret A_TOKEN is to be put in for api.test',
  ],
  [
    'a secret of names below',
    'secrets: [{ name: A_TOKEN, from: env, hosts: ["*.api.test"] }]',
    'passThrough: [x.api.test]',
    'the secret A_TOKEN',
  ],
  ['a route to plain HTTP', '', 'routes: { "api.test:443": "http://127.0.0.1:8080" }, passThrough: [api.test]', 'leads to plain HTTP'],
  [
    'a rule about requests',
    '',
    'allow: [{ host: api.test, methods: [GET] }], passThrough: [api.test:443]',
    'certain requests to it: api.test',
  ],
  [
    'a rule about requests to names below',
    '',
    'allow: [{ host: "*.a.test", methods: [GET] }], passThrough: ["*.b.a.test"]',
    'certain requests',
  ],
  [
    'a budget',
    'budget: { session: 5 }',
    'passThrough: ["*.anthropic.com"]',
    'the budget has to read what is asked of api.anthropic.com:443: session $5.00 (',
  ],
  [
    'a budget, and a model behind a host of its own',
    'budget: { day: 200k tokens }\nenv: { ANTHROPIC_BASE_URL: "https://models.test:8443" }',
    'passThrough: [models.test]',
    'models.test:8443: day 200,000 tokens',
  ],
])('%s contradicts it', async (_what, rest, network, why) => {
  using place = makePlace()
  place.user(`network: { ${network} }\n${rest}\n`)
  await expect(place.load({}, { hostEnv: { A_TOKEN: 'x'.repeat(40) } })).rejects.toMatchObject({
    code: 'policy/pass-through',
    message: expect.stringContaining(why),
  })
})

it('without a budget the host of a model can be passed through, and with one any other host', async () => {
  using place = makePlace()
  place.user('network: { passThrough: [api.anthropic.com] }\n')
  expect((await place.load()).policy.network.passThrough).toHaveLength(1)
  await expect(place.load({ budget: ['5'] })).rejects.toMatchObject({
    code: 'policy/pass-through',
    message: expect.stringContaining('session $5.00 (--budget'),
  })
  place.user('budget: { session: 5 }\nnetwork: { passThrough: [anthropic.com, "api.anthropic.com:8443"] }\n')
  expect((await place.load()).policy.network.passThrough).toHaveLength(2)
})

it('another port, or another host, is no contradiction', async () => {
  using place = makePlace()
  place.user(
    'network: { allow: [{ host: api.test, methods: [GET] }], passThrough: [api.test:8443, b.test], routes: { "c.test:443": "http://127.0.0.1:1" } }\n',
  )
  expect((await place.load()).policy.network.passThrough).toHaveLength(2)
})

it('a project cannot ask for it by itself', async () => {
  using place = makePlace()
  place.user('network: { allow: [a.test, b.test], passThrough: ["*.b.test"] }\n')
  place.projectFile('network: { passThrough: [x.b.test] }\n')
  expect((await place.load()).policy.network.passThrough).toHaveLength(2)
  place.projectFile('network: { passThrough: [a.test] }\n')
  await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-widens', message: expect.stringContaining('a.test go unread') })
})
