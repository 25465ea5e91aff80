// Which path lies in which: the one question behind every mount, root and rule.
import { expect, it } from 'vitest'
import { isWithin } from '../../src/host/paths.ts'

it.each([
  ['/a', '/a', true],
  ['/a/', '/a', true],
  ['/a', '/a/', true],
  ['/a/b', '/a', true],
  ['/a//b/./c', '/a', true],
  ['/x/../a/b', '/a', true],
  ['/a/..b', '/a', true],
  ['/a', '/', true],
  ['/ab', '/a', false],
  ['/a/../b', '/a', false],
  ['/', '/a', false],
  ['/A/b', '/a', false],
])('%s in %s: %s', (inner, outer, expected) => {
  expect(isWithin(inner, outer)).toBe(expected)
})
