// The judge: attacks.md PRX-01 to PRX-04, PRX-16, CFG-12; laws of allow and deny as properties.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CanonicalHost, HostRule, Policy } from '../../src/model/policy.ts'
import { canonicalHost } from '../../src/policy/host-name.ts'
import { parseHostRule } from '../../src/policy/host-rule.ts'
import { judge, judgeName } from '../../src/policy/judge.ts'

async function network(allow: readonly string[], deny: readonly string[] = []): Promise<Policy['network']> {
  const rules = await Promise.all([
    ...allow.map((text, index) => parseHostRule(text, 'allow', { kind: 'user', source: '/u/policy.yaml', line: index + 1 })),
    ...deny.map((text) => parseHostRule(text, 'deny', { kind: 'user', source: '/u/policy.yaml', line: 90 })),
  ])
  return { rules, routes: [] }
}
const at = (host: string, port: number) => ({ host: canonicalHost(host), port })

describe('judge', () => {
  const table: readonly (readonly [string, number, string])[] = [
    ['api.allowed.test', 443, 'allowed'],
    ['api.allowed.test', 80, 'port'],
    ['api.allowed.test', 22, 'port'],
    ['API.allowed.TEST.', 443, 'allowed'],
    ['evilapi.allowed.test', 443, 'not-listed'],
    ['api.allowed.test.evil.test', 443, 'not-listed'],
    ['api-allowed.test', 443, 'not-listed'],
    ['apixallowed.test', 443, 'not-listed'],
    ['wild.test', 443, 'not-listed'],
    ['evilwild.test', 443, 'not-listed'],
    ['x.wild.test', 443, 'allowed'],
    ['a.b.wild.test', 443, 'allowed'],
    ['bad.wild.test', 443, 'denied'],
    ['x.bad.wild.test', 443, 'allowed'],
  ]
  it.each(table)('%s:%i is %s', async (host, port, code) => {
    const verdict = judge(await network(['api.allowed.test:443', '*.wild.test:443'], ['bad.wild.test']), at(host, port))
    expect(verdict.code).toBe(code)
    expect(verdict.effect).toBe(code === 'allowed' ? 'allow' : 'deny')
    expect(verdict.reason).not.toMatch(/\p{C}/u)
  })

  it('refuses everything when nothing is listed', () => {
    expect(judge({ rules: [], routes: [] }, at('a.test', 443))).toMatchObject({
      effect: 'deny',
      code: 'not-listed',
      remedy: 'anchorhold run --allow a.test …',
    })
    expect(judge({ rules: [], routes: [] }, at('a.test', 22)).remedy).toBe('anchorhold run --allow a.test:22 …')
  })

  it('offers no --allow against a deny, but its line', async () => {
    const verdict = judge(await network(['a.test'], ['a.test']), at('a.test', 443))
    expect(verdict).toMatchObject({
      effect: 'deny',
      code: 'denied',
      remedy: 'take the deny out of /u/policy.yaml:90; no --allow outweighs it',
    })
  })

  it('counts an error as a deny', () => {
    const broken = {
      get rules(): readonly HostRule[] {
        throw new Error('boom\n\u001b[31m')
      },
      routes: [],
    }
    expect(judge(broken, at('a.test', 443))).toMatchObject({ effect: 'deny', code: 'error' })
    expect(judge(broken, at('a.test', 443)).reason).not.toMatch(/\p{C}/u)
    expect(judgeName(broken, canonicalHost('a.test')).effect).toBe('deny')
  })

  it('RES-18 judges among 1,000 wildcards, for hostile names too, in less than 50 ms', async () => {
    const many = await network(Array.from({ length: 1000 }, (_, index) => `*.w${index}.test`))
    const long = `${'a.'.repeat(10_000)}w999.test` as CanonicalHost
    const began = performance.now()
    expect(judge(many, { host: long, port: 443 }).effect).toBe('allow')
    expect(judgeName(many, long).effect).toBe('allow')
    expect(judge(many, at('nowhere.test', 443)).effect).toBe('deny')
    expect(performance.now() - began).toBeLessThan(50)
  })
})

describe('judgeName', () => {
  it.each([
    ['a.test', 'allow'],
    ['b.test', 'allow'],
    ['c.test', 'deny'],
    ['d.test', 'deny'],
    ['e.test', 'allow'],
  ])('%s may be resolved: %s', async (host, effect) => {
    const rules = await network(['a.test', 'b.test:22', 'd.test', 'e.test'], ['d.test', 'e.test:443'])
    expect(judgeName(rules, canonicalHost(host)).effect).toBe(effect)
  })
})

describe('laws', () => {
  const label = fc.constantFrom('a', 'b', 'ab')
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => [...labels, 'test'].join('.') as CanonicalHost)
  const rule = fc.record({
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    pattern: fc.oneof(
      name.map((host) => ({ kind: 'host' as const, host })),
      name.map((suffix) => ({ kind: 'subdomains' as const, suffix })),
    ),
    ports: fc.oneof(fc.constant('all' as const), fc.subarray([22, 80, 443], { minLength: 1 })),
    origin: fc.constant({ kind: 'user' as const, source: 'x' }),
  })
  const rules = fc.array(rule, { maxLength: 6 })
  const destination = fc.record({ host: name, port: fc.constantFrom(22, 80, 443, 8080) })
  /** The rule of the book, said another way: split into labels. */
  const fits = (one: HostRule, to: { host: string; port: number }): boolean => {
    const host = to.host.split('.')
    const pattern = (one.pattern.kind === 'host' ? one.pattern.host : one.pattern.suffix).split('.')
    const below = host.length > pattern.length && host.slice(-pattern.length).join() === pattern.join()
    return (one.pattern.kind === 'host' ? host.join() === pattern.join() : below) && (one.ports === 'all' || one.ports.includes(to.port))
  }

  it('allows exactly what some allow fits and no deny does', () => {
    fc.assert(
      fc.property(rules, destination, (list, to) => {
        const expected =
          list.some((one) => one.effect === 'allow' && fits(one, to)) && !list.some((one) => one.effect === 'deny' && fits(one, to))
        expect(judge({ rules: list, routes: [] }, to).effect).toBe(expected ? 'allow' : 'deny')
      }),
    )
  })
  it('does not depend on order, and another deny never allows more', () => {
    fc.assert(
      fc.property(rules, rule, destination, (list, extra, to) => {
        const verdict = judge({ rules: list, routes: [] }, to).effect
        expect(judge({ rules: list.toReversed(), routes: [] }, to).effect).toBe(verdict)
        if (verdict === 'deny') expect(judge({ rules: [...list, { ...extra, effect: 'deny' }], routes: [] }, to).effect).toBe('deny')
      }),
    )
  })
  it('resolves a name exactly when some port of it is allowed', () => {
    fc.assert(
      fc.property(rules, name, (list, host) => {
        const some = [22, 80, 443, 8080].some((port) => judge({ rules: list, routes: [] }, { host, port }).effect === 'allow')
        expect(judgeName({ rules: list, routes: [] }, host).effect).toBe(some ? 'allow' : 'deny')
      }),
    )
  })
})
