// The name of a cell's home: one for each path, and none for two.
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { homeName } from '../../src/run/home.ts'

test('a name can be read, and tells paths apart that look alike', () => {
  expect(homeName('/home/me/my shop')).toBe('home+me+my%20shop')
  expect(
    new Set(
      ['/a/b', '/a+b', '/a%2Bb', '/a b', '/a%20b', '/A/b', '/a/b/', '/ä/b', `/${'x'.repeat(300)}/a`, `/${'x'.repeat(300)}/b`].map(homeName),
    ).size,
  ).toBe(10)
})

test('two paths never share a name, and every name is one part of a path', () => {
  const paths = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 120 })
    .filter((text) => !text.includes('\0'))
    .map((text) => `/${text}`)
  fc.assert(
    fc.property(paths, paths, (one, other) => {
      expect(homeName(one) === homeName(other)).toBe(one === other)
      expect(homeName(one)).toMatch(/^[\w.@%+='()!*~-]+$/)
      expect(Buffer.byteLength(homeName(one))).toBeLessThanOrEqual(255)
    }),
  )
})
