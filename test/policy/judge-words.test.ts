// What the judge says: the rule as the user wrote it, where it stands, and the one command that changes the answer; never a command that would not help.
import { expect, it } from 'vitest'
import type { HostRule, Origin } from '../../src/model/policy.ts'
import { canonicalHost } from '../../src/policy/host-name.ts'
import { judge, judgeName, originText, ruleText } from '../../src/policy/judge.ts'

const user: Origin = { kind: 'user', source: '/u/policy.yaml', line: 7 }
const allow = (host: string, ports: HostRule['ports'], more: Partial<HostRule> = {}): HostRule => ({
  effect: 'allow',
  pattern: { kind: 'host', host: canonicalHost(host) },
  ports,
  origin: user,
  ...more,
})
const verdictOf = (rules: readonly HostRule[], host: string, port: number) =>
  judge({ rules, routes: [] }, { host: canonicalHost(host), port })
const nameOf = (rules: readonly HostRule[], host: string) => judgeName({ rules, routes: [] }, canonicalHost(host))

it.each<readonly [Origin, string]>([
  [{ kind: 'preset', source: 'claude' }, 'preset claude'],
  [{ kind: 'built-in', source: 'loopback' }, "anchorhold's own rules (loopback)"],
  [{ kind: 'flag', source: '--allow a.test' }, 'the flag --allow a.test'],
  [{ kind: 'project', source: '/p/anchorhold.yaml', line: 3 }, '/p/anchorhold.yaml:3'],
  [{ kind: 'user', source: '/u/policy.yaml' }, '/u/policy.yaml'],
])('where a rule comes from: %j', (origin, text) => {
  expect(originText(origin)).toBe(text)
})

it.each<readonly [HostRule, string]>([
  [allow('a.test', [80, 443]), 'a.test'],
  [allow('a.test', [80, 443], { effect: 'deny' }), 'a.test:80 a.test:443'],
  [allow('a.test', [80, 443], { effect: 'deny', methods: ['POST'] }), 'a.test (POST)'],
  [allow('a.test', 'all'), 'a.test'],
  [allow('a.test', [8080]), 'a.test:8080'],
  [allow('a.test', [443], { pattern: { kind: 'subdomains', suffix: canonicalHost('b.test') } }), '*.b.test:443'],
  [allow('a.test', [443], { methods: ['GET', 'HEAD'], paths: ['/a', '/b', '/c'] }), 'a.test:443 (GET,HEAD /a /b /c)'],
  [allow('a.test', [443], { paths: ['/a', '/b', '/c', '/d', '/e'] }), 'a.test:443 (/a /b /c and 2 more)'],
  [allow('a.test', [443], { graphql: 'query' }), 'a.test:443 (GraphQL queries only)'],
])('a rule as its user would write it: %#', (rule, text) => {
  expect(ruleText(rule)).toBe(text)
})

it('says by which rule, and why it was written', () => {
  expect(verdictOf([allow('a.test', [443], { reason: 'the\u001b API' })], 'a.test', 443)).toMatchObject({
    effect: 'allow',
    reason: 'a.test:443 is allowed by /u/policy.yaml:7: the\\u{1b} API',
  })
  expect(verdictOf([allow('a.test', [443])], 'a.test', 443).reason).toBe('a.test:443 is allowed by /u/policy.yaml:7')
  const deny = allow('a.test', 'all', { effect: 'deny', origin: { kind: 'flag', source: '--deny a.test' } })
  expect(verdictOf([{ ...deny, reason: 'never' }], 'a.test', 443)).toMatchObject({
    reason: 'a.test:443 is denied by the rule a.test from the flag --deny a.test: never',
    remedy: 'leave out --deny a.test',
  })
  expect(verdictOf([deny], 'a.test', 443).reason).toBe('a.test:443 is denied by the rule a.test from the flag --deny a.test')
  expect(verdictOf([{ ...deny, origin: { kind: 'project', source: 'p' } }], 'a.test', 443).remedy).toBe(
    'take the deny out of p; no --allow outweighs it',
  )
  expect(verdictOf([{ ...deny, origin: { kind: 'preset', source: 'p' } }], 'a.test', 443)).not.toHaveProperty('remedy')
})

it('names the ports at which a host is allowed, and the flag for the one that was tried', () => {
  expect(verdictOf([allow('a.test', [80, 443])], 'a.test', 22)).toMatchObject({
    code: 'port',
    reason: 'a.test is allowed at port 80 and 443 only, not at 22 (/u/policy.yaml:7)',
    remedy: 'anchorhold run --allow a.test:22 …',
  })
})

it('names no host alone where it would be read as something else', () => {
  expect(verdictOf([], 'a.test', 443).reason).toBe('no rule allows a.test')
  expect(verdictOf([], 'a.test', 80).remedy).toBe('anchorhold run --allow a.test …')
  expect(verdictOf([], 'npm', 443).remedy).toBe('anchorhold run --allow npm:443 …') // a preset has this name
  expect(verdictOf([], 'host.anchorhold.internal', 443).remedy).toBe('anchorhold run --allow host.anchorhold.internal:443 …')
})

it('a rule about requests is taken only where none is about the whole host, and denies nothing as a whole', () => {
  const about = allow('a.test', [443], { methods: ['GET'] })
  const whole = allow('a.test', [443], { origin: { kind: 'flag', source: 'x' } })
  expect(verdictOf([about, whole], 'a.test', 443)).toMatchObject({ effect: 'allow', rule: whole })
  expect(verdictOf([about], 'a.test', 443)).toMatchObject({ effect: 'allow', rule: about })
  const deny = allow('a.test', 'all', { effect: 'deny', methods: ['POST'] })
  expect(verdictOf([deny], 'a.test', 443)).toMatchObject({ effect: 'deny', code: 'not-listed' })
  expect(verdictOf([deny, whole], 'a.test', 443)).toMatchObject({ effect: 'allow', rule: whole })
})

it('a name allowed at every port may be resolved while one port is left', () => {
  const all = allow('a.test', 'all')
  const deny = (...ports: number[]): HostRule => allow('a.test', ports, { effect: 'deny' })
  expect(nameOf([all], 'a.test').effect).toBe('allow')
  expect(nameOf([all, deny(443), deny(442)], 'a.test').effect).toBe('allow')
  expect(nameOf([all, deny(...Array.from({ length: 443 }, (_, at) => at + 1))], 'a.test')).toMatchObject({ effect: 'deny', code: 'denied' })
  // Others' denies, and denies of certain requests, take no port away.
  expect(nameOf([all, allow('b.test', [443], { effect: 'deny' })], 'a.test').effect).toBe('allow')
  expect(nameOf([all, allow('a.test', [443], { effect: 'deny', methods: ['POST'] })], 'a.test').effect).toBe('allow')
  const below = Array.from({ length: 442 }, (_, at) => at + 1)
  expect(nameOf([all, deny(443), allow('b.test', below, { effect: 'deny' })], 'a.test').effect).toBe('allow')
  expect(nameOf([all, deny(443), allow('a.test', below, { effect: 'deny', methods: ['POST'] })], 'a.test').effect).toBe('allow')
  expect(nameOf([allow('a.test', [443]), allow('a.test', [80]), deny(443)], 'a.test').effect).toBe('allow')
  // What is denied as a whole stays so, whatever else is allowed.
  expect(nameOf([deny(443), allow('b.test', 'all')], 'a.test')).toMatchObject({ effect: 'deny' })
})

it('the name of this machine is asked for with its port', () => {
  expect(nameOf([], 'host.anchorhold.internal')).toMatchObject({
    effect: 'deny',
    code: 'not-listed',
    remedy: 'name its port: anchorhold run --allow host.anchorhold.internal:PORT …',
  })
  expect(nameOf([], 'a.test').remedy).toBe('anchorhold run --allow a.test …')
  const denied = [allow('host.anchorhold.internal', [5432]), allow('host.anchorhold.internal', 'all', { effect: 'deny' })]
  expect(nameOf(denied, 'host.anchorhold.internal').remedy).toBe('take the deny out of /u/policy.yaml:7; no --allow outweighs it')
})
