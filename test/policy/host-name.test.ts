// Canonical host names: attacks.md PRX-04 to PRX-12 and PRX-56, as tables and as properties.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../src/errors/failure.ts'
import { canonicalHost, tryCanonicalHost, tryWrittenHost } from '../../src/policy/host-name.ts'

const accepted: readonly (readonly [string, string])[] = [
  ['API.Allowed.TEST', 'api.allowed.test'],
  ['api.allowed.test.', 'api.allowed.test'],
  ['a_b.allowed.test', 'a_b.allowed.test'],
  ['_service._tcp.allowed.test', '_service._tcp.allowed.test'],
  ['r3---x.allowed.test', 'r3---x.allowed.test'],
  ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
  ['1e100.test', '1e100.test'],
  ['0x7f.test', '0x7f.test'],
  ['localhost', 'localhost'],
  [`${'a'.repeat(63)}.test`, `${'a'.repeat(63)}.test`],
]
const addresses = [
  '127.0.0.1',
  '127.1',
  '127.0.0.1.',
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '0X7F.1',
  '0177.0.0.1',
  '0',
  '1.2.3',
  'a.1',
  'a.0x',
  'a.0x7f',
  '999.999.999.999',
  '[::1]',
  '[::]',
  '::1',
  '::',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[::127.0.0.1]',
  'fe80::1%lo',
  '[fe80::1%25lo]',
  '[api.allowed.test]',
  '[::1',
]
const refused = [
  '',
  '.',
  '..',
  'a..test',
  '.a.test',
  'a.test..',
  '-a.test',
  'a-.test',
  'a test',
  ' a.test',
  'a.test ',
  'a\ttest',
  'a\rtest',
  'a\ntest',
  'a\0.wild.test',
  'a%00.test',
  'a%2etest',
  'a@b.test',
  'a/b',
  'a\\b',
  'a#b',
  'a?b',
  'a"b',
  "a'b",
  'a:443',
  'a;b',
  'a,b',
  'a*b',
  '*.test',
  'a|b',
  'a<b',
  '$(id).test',
  'api．allowed．test',
  'api。test',
  'a\u00adb.test',
  'ⓐpi.test',
  'аpi.test',
  'bücher.test',
  '\u202eapi.test',
  'a\u200bb.test',
  `${'a'.repeat(64)}.test`,
  `${'a.'.repeat(127)}test`,
  'xn--.test',
  'xn--\u00e4.test',
  'a.xn--zz--zz--zz--zz.test\x7f',
]

describe('canonicalHost', () => {
  it.each(accepted)('%j becomes %j', (text, host) => expect(canonicalHost(text)).toBe(host))
  it.each(addresses)('%j is an address, not a name', (text) =>
    expect(tryCanonicalHost(text)).toMatchObject({ ok: false, code: 'address-literal' }),
  )
  it.each(refused)('%j is refused', (text) => expect(tryCanonicalHost(text).ok).toBe(false))

  it('names what is wrong in a Failure', () => {
    expect(() => canonicalHost('a b')).toThrow(Failure)
    expect(() => canonicalHost('a\0b')).toThrow(/control character/)
  })

  it('takes hostile input of 64 KB in less than a millisecond each', () => {
    const hostile = ['a', '.', '-', '\0', 'ü', 'a.', '0x', '1.', '[', ':', '%00', 'xn--'].map((piece) =>
      piece.repeat(65_536 / piece.length),
    )
    for (const text of hostile) tryCanonicalHost(text)
    const began = performance.now()
    for (let round = 0; round < 10; round++)
      for (const text of hostile) expect(tryCanonicalHost(text).ok && tryWrittenHost(text).ok).toBe(false)
    expect((performance.now() - began) / (hostile.length * 10)).toBeLessThan(1)
  })

  it('never throws, is idempotent, and gives one spelling', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.domain(), fc.webAuthority(), fc.ipV4Extended(), fc.ipV6()),
        (text) => {
          const answer = tryCanonicalHost(text)
          if (!answer.ok) return
          expect(answer.host).toMatch(/^[a-z0-9_][a-z0-9._-]*$/)
          expect(canonicalHost(answer.host)).toBe(answer.host)
          expect(canonicalHost(`${answer.host.toUpperCase()}.`)).toBe(answer.host)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('never accepts what a resolver would read as an IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV4Extended(), (text) => {
        expect(tryCanonicalHost(text).ok).toBe(false)
      }),
    )
  })
})

describe('names written in a policy', () => {
  it.each([
    ['bücher.test', 'xn--bcher-kva.test'],
    ['BÜCHER.test', 'xn--bcher-kva.test'],
    ['аpi.test', 'xn--pi-6kc.test'],
    ['ａpi.test', 'api.test'],
    ['例え.test', 'xn--r8jz45g.test'],
  ])('%j is shown and matched as %j', (text, host) => expect(tryWrittenHost(text)).toEqual({ ok: true, host }))
  it.each(['１２７.0.0.1', 'a\u00adb.test', 'a\u200db.test', '\ufeffa.test', 'a\u3000b.test', '\u202ea.test', 'ü'.repeat(300)])(
    '%j is refused',
    (text) => expect(tryWrittenHost(text).ok).toBe(false),
  )
})
