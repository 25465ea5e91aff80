// The one form of a path, and patterns over it: what some server could read in another way is refused, never mended.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { oddInPattern, patternAllows, patternContains, patternDenies } from '../../src/policy/path-pattern.ts'
import { oddInPath } from '../../src/policy/request-path.ts'

const plain = [
  '/',
  '/a',
  '/a/',
  '/repos/me/x/issues/1',
  '/a.b/.c/...',
  '/a~b_c-d',
  "/!$&'()*+,=:@",
  '/%C3%A4/%20/%E2%82%AC/%F0%9F%A6%8A',
  '/%40scope/x%3Dy%2B',
  '/a%7Cb%5Bc%5D',
]
it.each(plain)('takes %s', (path) => expect(oddInPath(path)).toBeUndefined())

const odd: readonly (readonly [string, string])[] = [
  ['a dot segment', '/a/../b'],
  ['a dot segment at the end', '/a/..'],
  ['a single dot', '/./a'],
  ['a single dot at the end', '/a/.'],
  ['escaped dots', '/a/%2e%2e/b'],
  ['escaped dots in capitals', '/a/%2E%2E/b'],
  ['half escaped dots', '/a/.%2e/b'],
  ['doubly escaped dots', '/a/%252e%252e/b'],
  ['an escaped dot in a name', '/a%2Eb'],
  ['an escaped slash', '/a%2fb'],
  ['an escaped slash in capitals', '/a%2Fb'],
  ['a doubly escaped slash', '/a%252Fb'],
  ['an escaped backslash', '/a%5cb'],
  ['a backslash', '/a\\..\\b'],
  ['an escaped NUL', '/a%00b'],
  ['an escaped line end', '/a%0d%0aX:%20y'],
  ['an escaped delete', '/a%7Fb'],
  ['an empty segment', '/a//b'],
  ['an empty segment in front', '//a'],
  ['an empty segment at the end', '/a//'],
  ['a parameter', '/a;x=y/b'],
  ['a dot segment with a parameter', '/a/..;/b'],
  ['an escaped parameter', '/a%3bx'],
  ['an escaped question mark', '/a%3Fb'],
  ['an escaped number sign', '/a%23b'],
  ['an overlong slash', '/a%C0%AFb'],
  ['an overlong dot', '/%C0%AE%C0%AE/a'],
  ['an overlong slash of three bytes', '/a%E0%80%AFb'],
  ['an overlong slash of four bytes', '/a%F0%80%80%AFb'],
  ['a surrogate', '/%ED%A0%80'],
  ['a lone continuation', '/%80'],
  ['a cut-off sequence', '/%E2%82'],
  ['a byte beyond Unicode', '/%F5%80%80%80'],
  ['dots before a blank', '/a/..%20/b'],
  ['fullwidth dots', '/a/%EF%BC%8E%EF%BC%8E/b'],
  ['a two-dot leader', '/a/%E2%80%A5'],
  ['dots with a zero-width space', '/a/.%E2%80%8B.'],
  ['a fullwidth slash', '/a%EF%BC%8Fb'],
  ['a fraction slash', '/a%E2%81%84b'],
  ['an invalid escape', '/%zz'],
  ['half an escape', '/a%2'],
  ['a lone percent sign', '/100%'],
  ['an IIS escape', '/%u002e'],
  ['an escaped letter', '/%61dmin'],
  ['an escaped digit', '/a%31'],
  ['an escaped hyphen', '/a%2Db'],
  ['an escaped underscore', '/a%5Fb'],
  ['an escaped tilde', '/%7Eme'],
  ['an escape in lower case', '/%c3%a4'],
  ['an escape in mixed case', '/%C3%a4'],
  ['a raw byte above ASCII', '/\xe4'],
  ['a raw blank', '/a b'],
  ['a raw tab', '/a\tb'],
  ['a number sign', '/a#b'],
  ['a bar', '/a|b'],
  ['a quote', '/a"b'],
  ['a bracket', '/a[b'],
  ['a brace', '/a{b'],
  ['no slash', 'a'],
  ['nothing', ''],
  ['a whole address', 'http://x/a'],
]
it.each(odd)('refuses %s', (_name, path) => expect(oddInPath(path)).toMatch(/^[\x20-\x7e]+$/))

it('what is taken decodes in exactly one step and holds no separator that was not one', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '.',
      '..',
      '%',
      '%2',
      '%2e',
      '%2F',
      '%5c',
      '%25',
      '%00',
      '\\',
      ';',
      '%C0',
      '%AF',
      'a',
      'B',
      '~',
      '%41',
      '%C3',
      '%A4',
      '?',
      '#',
      '+',
      '%20',
    ),
    fc.string({ maxLength: 2 }),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }).map((parts) => `/${parts.join('')}`),
      (path) => {
        if (oddInPath(path) !== undefined) return
        const once = decodeURIComponent(path)
        expect(once.split('/')).toHaveLength(path.split('/').length)
        expect(once).not.toMatch(/[\\\0;?#%]|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/)
        expect(new URL(`http://h${path}`).pathname).toBe(path)
      },
    ),
    { numRuns: 20_000 },
  )
})

const rows: readonly (readonly [string, string, boolean])[] = [
  ['/a', '/a', true],
  ['/a', '/a/', false],
  ['/a', '/A', false],
  ['/a/*', '/a/b', true],
  ['/a/*', '/a/', true],
  ['/a/*', '/a', false],
  ['/a/*', '/a/b/c', false],
  ['/a/**', '/a', true],
  ['/a/**', '/a/b/c', true],
  ['/a/**', '/ab', false],
  ['/a/**/z', '/a/z', true],
  ['/a/**/z', '/a/b/c/z', true],
  ['/a/**/z', '/a/b/zz', false],
  ['/**', '/', true],
  ['/*.tgz', '/x.tgz', true],
  ['/*.tgz', '/x.tgz/y', false],
  ['/a.b', '/aXb', false],
  ['/x?s=1', '/x?s=1', true],
  ['/x?s=1', '/x', false],
  ['/x?s=1', '/x?s=1&t=2', false],
  ['/x', '/x?anything=1', true],
]
it.each(rows)('%s allows %s: %s', (pattern, target, allowed) => expect(patternAllows(pattern, target)).toBe(allowed))

const spellings = [
  '/a/secrets',
  '/a/secrets/',
  '/a/Secrets',
  '/A/SECRETS/',
  '/a/secrets.',
  '/a/secrets%20',
  '/a/%EF%BD%93ecrets',
  '/a/%C5%BFecrets',
]
it.each(spellings)('a deny of /a/secrets holds for %s', (path) => expect(patternDenies('/a/secrets', path)).toBe(true))
it('and not for what is something else', () => {
  expect(patternDenies('/a/secrets', '/a/secrets2')).toBe(false)
  expect(patternDenies('/a/secrets', '/a/secrets/x')).toBe(false)
  expect(patternDenies('/a/b@c/**', '/a/b%40c/d')).toBe(true)
})

it('a pattern that holds another holds everything that the other holds', () => {
  const segment = fc.constantFrom('a', 'b', '*', '**', 'a*', '*b')
  const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
  const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba', ''), { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join('/')}`)
  let held = 0
  fc.assert(
    fc.property(pattern, pattern, fc.array(path, { minLength: 5, maxLength: 20 }), (outer, inner, paths) => {
      if (!patternContains(outer, inner)) return
      held += 1
      for (const each of paths) if (patternAllows(inner, each)) expect(patternAllows(outer, each)).toBe(true)
    }),
    { numRuns: 5_000 },
  )
  expect(held).toBeGreaterThan(100)
})

it.each(['a', '/a//b', '/a/../b', '/a b', '/ä', '/a**', '/**a/b', '/a/%2e', '/a;b'])('%s is no pattern', (pattern) => {
  expect(oddInPattern(pattern, 'allow')).toBeTypeOf('string')
})
it('a query stands in an allow only', () => {
  expect(oddInPattern('/a?b=c', 'allow')).toBeUndefined()
  expect(oddInPattern('/a?b=c', 'deny')).toMatch(/query/)
})
