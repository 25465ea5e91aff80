// Paths from a grammar of what servers mend: what a rule lets pass stays below the allowed folder and out of the denied one, whichever of
// the usual servers reads it.
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { canonicalHost } from '../../../src/policy/host-name.ts'
import { judgeRequest, requestRules } from '../../../src/policy/judge-request.ts'
import { allow } from '../fixtures/rig.ts'
import { corpus, fuzzSeconds, keeping, saveFound } from './corpus.ts'

afterAll(saveFound)

const rules = requestRules(
  { rules: [allow('a.test', { paths: ['/ok/**'] }), { ...allow('a.test', { paths: ['/ok/no/**'] }), effect: 'deny' }], routes: [] },
  { host: canonicalHost('a.test'), port: 443 },
)
if (rules === undefined) throw new Error('no rules')

/** Bytes of a path as latin1, its escapes undone as loosely as some servers do (also %u002e); broken ones stay. */
const unescaped = (text: string): string =>
  text.replace(/%u00([0-9a-f]{2})|%([0-9a-f]{2})/gi, (_all, wide: string | undefined, plain: string | undefined) =>
    String.fromCharCode(Number.parseInt(wide ?? plain ?? '0', 16)),
  )
/** Overlong UTF-8, read as the first decoders did. */
const overlong = (text: string): string =>
  text
    .replace(/[\xc0\xc1]([\x80-\xbf])/g, (all, low: string) =>
      String.fromCharCode(((all.charCodeAt(0) & 1) << 6) | (low.charCodeAt(0) & 63)),
    )
    .replace(/\xe0[\x80-\x9f]([\x80-\xbf])/g, (all, low: string) =>
      String.fromCharCode(((all.charCodeAt(1) & 31) << 6) | (low.charCodeAt(0) & 63)),
    )
    .replace(/\xf0\x80[\x80-\xbf]([\x80-\xbf])/g, (all, low: string) =>
      String.fromCharCode(((all.charCodeAt(2) & 63) << 6) | (low.charCodeAt(0) & 63)),
    )
const walked = (text: string): string => {
  const out: string[] = []
  for (const segment of text.split('/')) {
    if (segment === '..') out.pop()
    else if (segment !== '' && segment !== '.') out.push(segment)
  }
  return `/${out.join('/')}`
}
const beforeQuery = (text: string): string => text.split('?')[0] ?? ''

/** Each makes of a request target the path of the file that it would serve. */
const servers: Readonly<Record<string, (target: string) => string>> = {
  literal: (target) => beforeQuery(target),
  walking: (target) => walked(beforeQuery(target)),
  'unescape, then walk': (target) => walked(unescaped(beforeQuery(target))),
  'unescape twice': (target) => walked(unescaped(unescaped(beforeQuery(target)))),
  'unescape before the query is cut off': (target) => walked(beforeQuery(unescaped(target.split('?')[0] ?? ''))),
  'with backslashes': (target) => walked(unescaped(beforeQuery(target)).replaceAll('\\', '/')),
  'without parameters': (target) => walked(unescaped(beforeQuery(target).replace(/;[^/]*/g, ''))),
  'without parameters, late': (target) => walked(unescaped(beforeQuery(target)).replace(/;[^/]*/g, '')),
  'with overlong forms': (target) => walked(overlong(unescaped(beforeQuery(target)))),
  'cut at NUL': (target) => walked(unescaped(beforeQuery(target)).split('\0')[0] ?? ''),
  'cut at a number sign': (target) => walked(unescaped(beforeQuery(target)).split('#')[0] ?? ''),
  'without blanks around a segment': (target) =>
    walked(
      unescaped(beforeQuery(target))
        .split('/')
        .map((segment) => segment.replace(/^[\0-\x20]+|[\0-\x20]+$/g, ''))
        .join('/'),
    ),
  'in any case': (target) => walked(unescaped(beforeQuery(target)).toLowerCase()),
  'without final dots and blanks': (target) =>
    walked(unescaped(beforeQuery(target)))
      .split('/')
      .map((segment) => segment.replace(/[. ]+$/, ''))
      .join('/'),
  WHATWG: (target) => new URL(`http://h${target.startsWith('//') ? '/' : ''}${target}`).pathname,
}

const piece = fc.constantFrom(
  '/',
  '/',
  '/ok',
  '/ok/',
  '/no',
  '/NO',
  '/no/x',
  '/no.',
  '/no%20',
  '/secret',
  '..',
  '.',
  '/..',
  '/../',
  '/./',
  '%2e',
  '%2E',
  '%2e%2e',
  '%252e',
  '%2f',
  '%2F',
  '%5c',
  '%5C',
  '\\',
  '//',
  ';',
  ';a=b',
  '/..;/',
  '%3b',
  '%00',
  '%0a',
  '%09',
  '%20',
  '%7f',
  '%23',
  '#',
  '%3f',
  '?',
  '?x=/../',
  '%25',
  '%c0%af',
  '%C0%AE',
  '%C0%AE%C0%AE',
  '%e0%80%ae',
  '%u002e',
  '%6e',
  '%6E%6F',
  'n%6f',
  '%4e%4f',
  '%',
  '%2',
  '%zz',
  'a',
  '~',
  '+',
  '@',
  ':',
  '%C3%A4',
  '\xe9',
  '|',
  '^',
  '"',
  ' ',
  '%EF%BC%8F',
  '%E2%80%A4',
  '*',
  '**',
  ',',
  '=',
)
const target = fc
  .array(piece, { minLength: 1, maxLength: 7 })
  .chain((parts) => fc.constantFrom(`/ok/${parts.join('')}`, `/ok${parts.join('')}`, parts.join(''), `/${parts.join('')}`))

function check(text: string): boolean {
  const verdict = judgeRequest(rules as NonNullable<typeof rules>, 'GET', text)
  if (verdict.kind !== 'allow') return false
  for (const [name, read] of Object.entries(servers)) {
    const file = read(text)
    expect(file, `${name} reads ${text} as ${file}`).toMatch(/^\/(?:ok|OK)(?:\/|$)/)
    expect(file, `${name} reads ${text} as ${file}`).not.toMatch(/^\/ok\/no(?:\/|$)/i)
  }
  return true
}

it('no server finds a denied or foreign path in what was allowed', { timeout: (fuzzSeconds() + 50) * 1000 }, async () => {
  let passed = 0
  for (const { input } of corpus('paths')) await keeping('paths', input, () => void check(input))
  await fc.assert(
    fc.asyncProperty(target, (text) => keeping('paths', text, () => void (passed += check(text) ? 1 : 0))),
    { numRuns: 10_000_000, interruptAfterTimeLimit: fuzzSeconds() * 500, markInterruptAsFailure: false },
  )
  expect(passed).toBeGreaterThan(20)
})

it('the judge is what holds it: compared by text alone, each of these servers would be fooled (weakened variant)', () => {
  const byText = (text: string): boolean => text.startsWith('/ok/') && !text.startsWith('/ok/no')
  const fooled = new Set<string>()
  for (const { input } of corpus('paths').filter((each) => byText(each.input))) {
    for (const [name, read] of Object.entries(servers)) if (!/^\/ok(?:\/(?!no(?:\/|$))|$)/i.test(read(input))) fooled.add(name)
  }
  expect(Object.keys(servers).filter((name) => !fooled.has(name))).toEqual([])
})
