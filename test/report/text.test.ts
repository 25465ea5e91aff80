// Nothing hostile reaches a terminal raw (attacks TRM-01 to TRM-10): whatever goes in, only visible characters come out.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fit, textWidth } from '../../src/report/width.ts'
import { jsonLine } from '../../src/report/json-line.ts'
import { logLine } from '../../src/report/log.ts'
import { quoteArgv } from '../../src/report/quote.ts'
import { unstyled } from '../../src/report/style.ts'
import { renderTable } from '../../src/report/table.ts'
import { plain, plainDeep } from '../../src/report/text.ts'
import { capture } from '../../src/host/process.ts'

/** Written apart from the code: code points that must never be shown raw. */
function isUnsafe(code: number): boolean {
  const ranges = [
    [0, 0x1f],
    [0x7f, 0xa0],
    [0xad, 0xad],
    [0x34f, 0x34f],
    [0x61c, 0x61c],
    [0x115f, 0x1160],
    [0x17b4, 0x17b5],
    [0x180b, 0x180f],
    [0x2000, 0x200f],
    [0x2028, 0x202f],
    [0x205f, 0x206f],
    [0x2800, 0x2800],
    [0x3164, 0x3164],
    [0xd800, 0xdfff],
    [0xe000, 0xf8ff],
    [0xfe00, 0xfe0f],
    [0xfeff, 0xfeff],
    [0xffa0, 0xffa0],
    [0xfff0, 0xfffb],
    [0x1bca0, 0x1bca3],
    [0x1d173, 0x1d17a],
    [0xe0000, 0xe0fff],
    [0xf0000, 0x10ffff],
  ] as const
  return ranges.some(([from, to]) => code >= from && code <= to)
}
const isClean = (text: string) => ![...text].some((character) => isUnsafe(character.codePointAt(0) ?? 0))

const nasty = fc.constantFrom(
  '\u001b]52;c;aGk=\u0007',
  '\u001b[31m',
  '\u009b31m',
  '\r',
  '\b',
  '\u202e',
  '\u2066',
  '\u200b',
  '\u{e0041}',
  '\ufe0f',
  '\u2028',
  '\u0085',
  '\u00a0',
  '\\x1b',
  '\\',
  '\n',
  '\t',
  '\ud800',
  'e\u0301',
)
const hostile = fc.array(fc.oneof(nasty, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))).map((parts) => parts.join(''))

test('no control, bidi or invisible character comes out, and twice is the same as once', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = plain(text)
      expect(isClean(shown)).toBe(true)
      expect(plain(shown)).toBe(shown)
    }),
    { numRuns: 2_000 },
  )
})

test('every single unsafe code point becomes an escape, every other letter stays', () => {
  for (let code = 0; code <= 0x10ffff; code += code < 0x3000 || code > 0xdfff0 ? 1 : 7) {
    const character = String.fromCodePoint(code)
    if (isUnsafe(code)) expect(plain(`a${character}`), code.toString(16)).toMatch(/^a\\/)
  }
  for (const text of ['héllo wörld', '日本語\u3000テキスト', 'emoji 😀', 'ελληνικά', "it's; $(x) \\ fine"]) expect(plain(text)).toBe(text)
})

test('the exact form tells any two texts apart', () => {
  fc.assert(
    fc.property(hostile, hostile, (a, b) => a === b || plain(a, { exact: true }) !== plain(b, { exact: true })),
    { numRuns: 2_000 },
  )
  expect(plain('\\x1b', { exact: true })).not.toBe(plain('\u001b', { exact: true }))
})

test('escapes are readable, lines are kept only where asked', () => {
  expect(plain('a\u001b[0m\r\n\t\u202e\u{e0041}\ud800')).toBe('a\\x1b[0m\\r\\n\\t\\u202e\\u{e0041}\\ud800')
  expect(plain('a\nb\r', { lines: true })).toBe('a\nb\\r')
  expect(plain('\u0301x')).toBe('\\u0301x')
  expect(plain(`z${'\u0301'.repeat(9)}`)).toBe(`z${'\u0301'.repeat(3)}${'\\u0301'.repeat(6)}`)
})

test('a bound holds', () => {
  fc.assert(
    fc.property(
      hostile,
      fc.integer({ min: 1, max: 40 }),
      (text, max) => [...plain(text, { max })].length <= max && isClean(plain(text, { max })),
    ),
  )
  expect(plain('abcdef', { max: 4 })).toBe('abc…')
})

test('JSON for terminals is ASCII and reads back as the same', () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, hostile), (value) => {
      const line = jsonLine(value)
      expect(line).toMatch(/^[ -~]*$/)
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
  expect(plainDeep({ a: ['\u001b'] })).toEqual({ a: ['\\x1b'] })
})

test('a table never has a line wider than the terminal, nor more lines than rows', () => {
  const cell = fc.oneof(hostile, fc.constant('漢字'.repeat(30)))
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 }), fc.integer({ min: 12, max: 120 }), (rows, width) => {
      const lines = renderTable([{ title: 'ONE' }, { title: 'TWO' }, { title: 'THREE' }], rows, { ...unstyled, width })
      expect(lines).toHaveLength(rows.length + 1)
      for (const line of lines) {
        expect(textWidth(line)).toBeLessThanOrEqual(width)
        expect(isClean(line)).toBe(true)
      }
    }),
  )
  expect(fit('日本語', 5)).toBe('日本…')
})

test('a journal line of any shape is one clean line', () => {
  const kinds = fc.constantFrom(
    'session.started',
    'wall.checked',
    'files.hidden',
    'limits',
    'network.refused',
    'network.repeated',
    'network.closed',
    'session.ended',
    'file.quarantined',
    'git.held',
    'unknown',
  )
  const event = fc.record(
    {
      kind: kinds,
      host: hostile,
      port: fc.anything(),
      reason: hostile,
      path: hostile,
      rows: fc.anything(),
      paths: fc.anything(),
      keys: fc.anything(),
      end: fc.anything(),
      argv: fc.anything(),
    },
    { requiredKeys: ['kind'] },
  )
  fc.assert(
    fc.property(event, hostile, (given, time) => {
      const line = logLine({ kind: 'line', line: { seq: 0, time, event: given as never, hash: '' } })
      expect(isClean(line)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

test('a quoted argument list is read back by a shell as it was', async () => {
  const lists = [
    ['a b', "it's", '$(id)', '`id`', '', '*', '-x', 'a"b', '\\', 'é', '~', '#x', '!', 'x=y z'],
    ['--flag=value', '/a/b', 'x;y', '|', '&'],
  ]
  for (const list of lists) {
    const shown = await capture(['sh', '-c', `printf '%s\\0' ${quoteArgv(list)}`])
    expect(shown.stdout.split('\0').slice(0, -1)).toEqual(list)
  }
  const odd = ["\u001b[31m'\\x\n", 'tab\t\u202e\u{e0041}']
  expect(isClean(quoteArgv(odd))).toBe(true)
  const shown = await capture(['bash', '--norc', '-c', `printf '%s\\0' ${quoteArgv(odd)}`])
  expect(shown.stdout.split('\0').slice(0, -1)).toEqual(odd)
})
