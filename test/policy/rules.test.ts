// Rules, routes and limits as people write them: attacks.md CFG-13, CFG-14, PRX-16, NET-25.
import { describe, expect, it } from 'vitest'
import { Failure } from '../../src/errors/failure.ts'
import type { Origin } from '../../src/model/policy.ts'
import { parseHostRule } from '../../src/policy/host-rule.ts'
import { ruleText } from '../../src/policy/judge.ts'
import { limitName, parseLimit, showLimit } from '../../src/policy/limits.ts'
import { parseGlob } from '../../src/policy/paths.ts'
import { parseRouteFlag } from '../../src/policy/route.ts'

const origin: Origin = { kind: 'flag', source: '--allow x' }

describe('host rules', () => {
  const good: readonly (readonly [string, string, readonly number[]])[] = [
    ['docs.example.test', 'docs.example.test', [80, 443]],
    ['Docs.Example.TEST.', 'docs.example.test', [80, 443]],
    ['db.example.test:5432', 'db.example.test:5432', [5432]],
    ['*.wild.test', '*.wild.test', [80, 443]],
    ['*.wild.test:8443', '*.wild.test:8443', [8443]],
    ['*.a.example.co.uk', '*.a.example.co.uk', [80, 443]],
    ['bücher.test', 'xn--bcher-kva.test', [80, 443]],
    ['host.anchorhold.internal:3000', 'host.anchorhold.internal:3000', [3000]],
    ['intranet:443', 'intranet:443', [443]],
  ]
  it.each(good)('%j allows %j', async (text, shown, ports) => {
    const rule = await parseHostRule(text, 'allow', origin)
    expect(ruleText(rule)).toBe(shown)
    expect(rule.ports).toEqual(ports)
  })

  const bad = [
    '*',
    '*.',
    '*.com',
    '*.co.uk',
    '*.test',
    '*.github.io',
    '*.compute.amazonaws.com',
    '*.anchorhold.internal',
    '*foo.test',
    'a.*.test',
    '**.a.test',
    '*.*.a.test',
    'a.test.*',
    '.*',
    'a(b.test',
    'a[b].test',
    'https://x',
    'https://x.test',
    'x/y',
    'x.test/',
    ' x',
    'x ',
    '',
    '10.0.0.0/8',
    '127.0.0.1',
    '127.1:80',
    '0x7f.1',
    '2130706433',
    '::1',
    '::1:443',
    '[::1]:443',
    '[a.test]',
    'fe80::1%lo',
    'a.test:0',
    'a.test:65536',
    'a.test:0443',
    'a.test:+443',
    'a.test:443abc',
    'a.test:-1',
    'a.test:',
    'a.test: 443',
    'a.test:4 4',
    'a.test:443:443',
    'a.test:١٢',
    'localhost:3000',
    'a.localhost',
    'host.anchorhold.internal',
    'u@a.test',
    'a\0.test',
    'a%2e.test',
    '*.127.0.0.1',
    '*.1',
  ]
  it.each(bad)('%j is refused', (text) => expect(parseHostRule(text, 'allow', origin)).rejects.toMatchObject({ code: 'policy/bad-rule' }))

  it('lets a deny be as wide as it likes, for every port', async () => {
    expect(await parseHostRule('*.com', 'deny', origin)).toMatchObject({ pattern: { kind: 'subdomains', suffix: 'com' }, ports: 'all' })
    expect(await parseHostRule('*.github.io', 'deny', origin)).toMatchObject({ ports: 'all' })
    await expect(parseHostRule('*', 'deny', origin)).rejects.toThrow(Failure)
  })

  it('names the rule, the reason and the place', () =>
    expect(parseHostRule('*.com', 'allow', origin)).rejects.toThrow(/--allow x: "\*\.com" is not a rule: a star over a top-level domain/))
})

describe('routes', () => {
  const good: readonly (readonly [string, readonly string[]])[] = [
    ['model.test:80=127.0.0.1:8080', ['model.test:80→127.0.0.1:8080']],
    ['model.test=127.0.0.1', ['model.test:80→127.0.0.1:80', 'model.test:443→127.0.0.1:443']],
    ['model.test=[::1]:99', ['model.test:80→::1:99', 'model.test:443→::1:99']],
    ['model.test:443=::1', ['model.test:443→::1:443']],
    ['model.test:443=localhost:8443', ['model.test:443→127.0.0.1:8443']],
    ['MODEL.test.:1=10.0.0.1', ['model.test:1→10.0.0.1:1']],
  ]
  it.each(good)('%j', (text, shown) =>
    expect(parseRouteFlag(text, origin).map((route) => `${route.host}:${route.port}→${route.to.address}:${route.to.port}`)).toEqual(shown),
  )

  const bad = [
    'model.test',
    '=127.0.0.1',
    'model.test=',
    'model.test=other.test:80',
    'model.test=127.1',
    'model.test=0',
    'model.test=2130706433',
    '*.model.test=127.0.0.1',
    '127.0.0.1=127.0.0.1',
    '[::1]:80=127.0.0.1',
    'model.test:0=127.0.0.1',
    'model.test:80=127.0.0.1:0',
    'model.test:80=127.0.0.1:',
    'model.test:80=[127.0.0.1]:80',
    'model.test=0.0.0.0',
    'model.test=::',
    'model.test=224.0.0.1',
    'model.test=https://127.0.0.1',
    'model.test=http://127.0.0.1:80/',
    'model.test=http://127.0.0.1/v1',
    'model.test=http://localhost.test:80',
    'model.test=HTTP://127.0.0.1',
    'model.test=http://http://127.0.0.1',
    'model.test=fe80::1%lo',
    'model.test:80:80=127.0.0.1',
    'model.test=127.0.0.1:80:80',
    'a b=127.0.0.1',
    'model.test=/run/x.sock',
  ]
  it.each(bad)('%j is refused', (text) => expect(() => parseRouteFlag(text, origin)).toThrow(/is not a route/))
  it.each([
    ['a.test:443=http://127.0.0.1:8080', [{ port: 443, to: { address: '127.0.0.1', port: 8080, scheme: 'http' } }]],
    ['a.test:443=http://127.0.0.1', [{ port: 443, to: { address: '127.0.0.1', port: 80, scheme: 'http' } }]],
    ['a.test:8443=http://[::1]:8080', [{ port: 8443, to: { address: '::1', port: 8080, scheme: 'http' } }]],
  ])('%j: TLS ended, plain HTTP from there', (text, routes) => expect(parseRouteFlag(text, origin)).toMatchObject(routes))
})

describe('limits', () => {
  const good: readonly (readonly [Parameters<typeof parseLimit>[0], string, number | 'none', string])[] = [
    ['memory', '4g', 4 * 2 ** 30, '4g'],
    ['memory', '512MiB', 512 * 2 ** 20, '512m'],
    ['memory', '1.5G', 1.5 * 2 ** 30, '1536m'],
    ['tmp', '1073741824', 2 ** 30, '1g'],
    ['time', '2h', 7_200_000, '2h'],
    ['time', '90s', 90_000, '90s'],
    ['time', '1h30m', 5_400_000, '90m'],
    ['time', '500ms', 500, '500ms'],
    ['processes', '512', 512, '512'],
    ['cpus', '2', 2, '2'],
    ['cpus', '0.5', 0.5, '0.5'],
    ['openFiles', '1024', 1024, '1024'],
  ]
  it.each(good)('%s %s', (name, text, value, shown) => {
    expect(parseLimit(name, text, 'here')).toBe(value)
    expect(typeof value === 'number' ? showLimit(name, value) : value).toBe(shown)
  })
  it('knows none', () => expect(parseLimit('processes', 'none', 'here')).toBe('none'))
  it.each([
    ['memory', '4x'],
    ['memory', '-1'],
    ['memory', '1e9'],
    ['memory', ''],
    ['memory', '0'],
    ['memory', '1k'],
    ['memory', '999999999999999t'],
    ['time', '90'],
    ['time', '2 h'],
    ['time', '-1s'],
    ['processes', '0'],
    ['processes', '1.5'],
    ['processes', '0x10'],
    ['cpus', '0'],
    ['cpus', '1/2'],
    ['cpus', 'Infinity'],
    ['cpus', 'NaN'],
  ] as const)('%s=%s is refused', (name, text) =>
    expect(() => parseLimit(name, text, 'here')).toThrow(expect.objectContaining({ code: 'policy/bad-limit' })),
  )
  it.each([
    ['file-size', 'fileSize'],
    ['fileSize', 'fileSize'],
    ['filesize', 'fileSize'],
    ['open-files', 'openFiles'],
    ['memroy', undefined],
  ])('%s is the limit %s', (text, name) => expect(limitName(text)).toBe(name))
})

describe('globs', () => {
  it.each([
    ['deploy/', 'deploy'],
    ['./deploy', '/deploy'],
    ['/deploy', '/deploy'],
    ['a//b', 'a/b'],
    ['a/./b', 'a/b'],
    ['.env*', '.env*'],
    ['**/x.key', '**/x.key'],
    ['[ab].txt', '[ab].txt'],
    ['a b', 'a b'],
    ['naïve', 'naïve'],
  ])('%j becomes %j', (text, glob) => expect(parseGlob(text, origin).glob).toBe(glob))
  it.each([
    '',
    '/',
    '.',
    '*',
    '**',
    '**/*',
    '..',
    '../x',
    'a/../b',
    '~/x',
    '~root',
    '$HOME/x',
    '${HOME}',
    '!x',
    'a\nb',
    'a\0',
    '[x',
    'a\\',
  ])('%j is refused', (text) => expect(() => parseGlob(text, origin)).toThrow(expect.objectContaining({ code: 'policy/bad-path' })))
})
