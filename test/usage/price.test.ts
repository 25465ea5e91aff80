// Prices: exact ids, the row of the day, the tier of the request, modifiers that multiply; unknown is unpriced.
import { expect, test } from 'vitest'
import { hashOf, shippedHash } from '../../src/cost/prices-in-use.ts'
import { modelId } from '../../src/usage/model-id.ts'
import { dollars, price, priceTable } from '../../src/usage/price.ts'
import { shippedPrices } from '../../src/usage/shipped-prices.ts'
import type { Modifiers, Usage } from '../../src/usage/tokens.ts'

const table = priceTable(shippedPrices)
const none: Usage = { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, webSearches: 0 }
const november = Date.UTC(2026, 10, 20)

function cost(model: string, usage: Partial<Usage>, at = november, modifiers: Modifiers = {}): number | undefined {
  const found = price(table, { ...none, ...usage }, model, at, modifiers)
  return found === undefined ? undefined : dollars(found.total)
}

const million = { input: 1_000_000 }

test('a batch in the United States with searches: every modifier, and the searches beside them', () => {
  expect(cost('claude-opus-5', { ...million, webSearches: 100 }, november, { batch: true, usOnly: true })).toBe(3.75)
})

test('each class at its own rate; fast doubles all of them', () => {
  const all = { input: 1e6, output: 1e6, cacheWrite5m: 1e6, cacheWrite1h: 1e6, cacheRead: 1e6 }
  expect(cost('claude-opus-5-5', all)).toBeCloseTo(4 + 20 + 5 + 8 + 0.2, 9)
  expect(cost('claude-opus-5-5', all, november, { fast: true })).toBeCloseTo(2 * (4 + 20 + 5 + 8 + 0.2), 9)
})

test('the tier goes by the whole prompt of one request, and holds for each of its tokens', () => {
  expect(cost('claude-haiku-5-5', { input: 50_000, cacheRead: 50_000 })).toBeCloseTo(0.005 + 0.0005, 9)
  expect(cost('claude-haiku-5-5', { input: 50_001, cacheRead: 50_000, output: 1000 })).toBeCloseTo(
    (50_001 * 0.5 + 50_000 * 0.05 + 2500) / 1e6,
    9,
  )
  expect(cost('claude-sonnet-4-5', { cacheRead: 150_000, cacheWrite5m: 150_000 })).toBeCloseTo((150_000 * 0.6 + 150_000 * 7.5) / 1e6, 9)
})

test('the row of the day', () => {
  expect(cost('claude-sonnet-5-5', { cacheRead: 1e6 }, Date.UTC(2026, 9, 6, 23, 59))).toBe(0.2)
  expect(cost('claude-sonnet-5-5', { cacheRead: 1e6 }, Date.UTC(2026, 9, 7))).toBe(0.1)
  expect(cost('gpt-5.6-luna', million, Date.UTC(2026, 6, 29))).not.toBe(cost('gpt-5.6-luna', { input: 200_000 }, Date.UTC(2026, 6, 29)))
})

test("an id is exact: a newer or a made-up model never has an older one's price", () => {
  for (const model of [
    'claude-opus-5-6',
    'claude-opus-6',
    'claude-opus-5-5-max',
    'claude',
    'opus',
    '',
    'gpt-5.7',
    '__proto__',
    'constructor',
  ])
    expect(cost(model, million), model).toBeUndefined()
  expect(cost('claude-opus-5-5', million)).not.toBe(cost('claude-opus-5', million))
  expect(cost('claude-sonnet-5', million, november, { fast: true })).toBeUndefined()
})

test.each([
  ['claude-opus-4-5-20251101', 'claude-opus-4-5'],
  ['anthropic/claude-opus-5', 'claude-opus-5'],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5'],
  ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
  ['claude-opus-5[1m]', 'claude-opus-5'],
  ['gpt-5.2-2025-12-11', 'gpt-5.2'],
  ['Claude-Opus-5', 'claude-opus-5'],
  ['claude-opus-5-5', 'claude-opus-5-5'],
])('%s is %s', (logged, id) => expect(modelId(logged)).toBe(id))

test('sums do not depend on their order', () => {
  const one = price(table, { ...none, input: 1, output: 3, cacheRead: 7 }, 'claude-haiku-5-5', november, { batch: true, usOnly: true })
  expect(Number.isInteger(one?.total)).toBe(true)
})

test('each row says where it was read and when, and days are days', () => {
  for (const { model, from, source, checked, rates } of shippedPrices) {
    expect(source, model).not.toBe('')
    expect(new Date(checked).toISOString().slice(0, 10)).toBe(checked)
    expect(new Date(from).toISOString().slice(0, 10)).toBe(from)
    expect(
      Object.values(rates).every((rate) => rate > 0),
      model,
    ).toBe(true)
    expect(modelId(model), 'ids stand in the form they are looked up by').toBe(model)
  }
  expect(new Set(shippedPrices.map(({ model, from }) => `${model} ${from}`)).size).toBe(shippedPrices.length)
})

test('the hash of the shipped rows is theirs (after a change of rows: put the new one into src/cost/prices-in-use.ts)', () => {
  expect(shippedHash).toBe(hashOf(table))
})
