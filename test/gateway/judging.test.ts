// Between what a program wrote and the judge: one spelling of host and port, the rules that come with an answer, and when bytes may pass unread.
import { expect, it } from 'vitest'
import { judgeTarget, judgeText, limitedRefusal, splitAuthority, unlimited, unread } from '../../src/gateway/judging.ts'
import type { HostRule } from '../../src/model/policy.ts'
import { canonicalHost } from '../../src/policy/host-name.ts'

const rule = (host: string, more: Partial<HostRule> = {}): HostRule => ({
  effect: 'allow',
  pattern: { kind: 'host', host: canonicalHost(host) },
  ports: [443],
  origin: { kind: 'flag', source: `--allow ${host}` },
  ...more,
})
const names = { nameOf: (address: string) => (address === '198.18.0.1' ? canonicalHost('a.test') : undefined) } as Parameters<
  typeof judgeText
>[1]

it.each([
  ['a.test:443', { host: 'a.test', port: 443 }],
  ['a.test', { host: 'a.test', port: undefined }],
  ['[::1]:443', { host: '[::1]', port: 443 }],
  ['[::1]', { host: '[::1]', port: undefined }],
  ['', undefined],
  [':443', undefined],
  ['a.test:', undefined],
  ['a.test:0', undefined],
  ['a.test:65536', undefined],
  ['a.test:0443', undefined],
  ['a.test:+443', undefined],
  ['a.test:443abc', undefined],
  ['a.test:443\n', undefined],
  ['a:b:443', undefined],
  ['::1', undefined],
  ['x[::1]:443', undefined],
  ['[::1]x:443', undefined],
])('PRX-09 PRX-16: the authority %j', (text, expected) => {
  expect(splitAuthority(text)).toEqual(expected)
})

it('an answer comes with every allow of its target, and with the denies that are about requests', () => {
  const fitting = [rule('a.test'), rule('a.test', { ports: 'all' }), rule('a.test', { effect: 'deny', methods: ['POST'] })]
  const others = [rule('b.test'), rule('a.test', { ports: [80] }), rule('a.test', { effect: 'deny', ports: [80] })]
  const network = { rules: [...fitting, ...others], routes: [] }
  const target = { host: canonicalHost('a.test'), port: 443 }
  expect(judgeTarget(network, target)).toEqual({ kind: 'allowed', target, rules: fitting, rule: 'a.test:443 from the flag --allow a.test' })
  expect(judgeTarget(network, target)).toBe(judgeTarget(network, target))
  // Another network has answers of its own.
  expect(judgeTarget({ rules: [], routes: [] }, target)).toEqual({
    kind: 'refused',
    ...target,
    refusal: { code: 'not-listed', reason: 'no rule allows a.test', remedy: 'anchorhold run --allow a.test …' },
  })
})

it('an address is a name only where this session gave it out for one', () => {
  const network = { rules: [rule('a.test')], routes: [] }
  expect(judgeText(network, names, '198.18.0.1', 443)).toMatchObject({ kind: 'allowed', target: { host: 'a.test', port: 443 } })
  expect(judgeText(network, names, 'A.test.', 443)).toMatchObject({ kind: 'allowed', target: { host: 'a.test' } })
  expect(judgeText(network, names, '198.18.0.2', 443)).toMatchObject({ kind: 'refused', port: 443, refusal: { code: 'address-literal' } })
  expect(judgeText(network, names, 'a\u0000.test', 443)).toMatchObject({
    kind: 'refused',
    host: expect.not.stringContaining('\u0000') as unknown,
  })
})

it('bytes pass unread only where the host is allowed as a whole and nothing is said of requests', () => {
  expect(unlimited([rule('a.test')])).toBe(true)
  expect(unlimited([rule('a.test'), rule('a.test', { methods: ['GET'] })])).toBe(true)
  expect(unlimited([rule('a.test', { methods: ['GET'] })])).toBe(false)
  expect(unlimited([])).toBe(false)
  expect(unlimited([rule('a.test'), rule('a.test', { effect: 'deny', paths: ['/x'] })])).toBe(false)
  expect(unlimited([rule('a.test', { effect: 'deny' })])).toBe(false)
  expect(unlimited([rule('a.test'), rule('a.test', { graphql: 'query' })])).toBe(false)
})

it('a refusal names the flag that opens the host as a whole', () => {
  const host = canonicalHost('a.test')
  expect(limitedRefusal({ host, port: 443 }).remedy).toBe('allow the host as a whole: anchorhold run --allow a.test …')
  expect(limitedRefusal({ host, port: 80 }).remedy).toBe('allow the host as a whole: anchorhold run --allow a.test …')
  expect(limitedRefusal({ host, port: 22 })).toMatchObject({
    code: 'needs-reading',
    remedy: 'allow the host as a whole: anchorhold run --allow a.test:22 …',
  })
  expect(unread({ host, port: 443 }, 'a secret')).toMatchObject({
    code: 'needs-reading',
    reason: 'what passes to a.test:443 has to be read (a secret), and this session cannot end its TLS',
  })
})
