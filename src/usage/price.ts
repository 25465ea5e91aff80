// What a request cost: the row for its model and moment, the tier by its own prompt, the modifiers multiplied. Pure; the gateway's meter and
// `anchorhold cost` share it. Money is counted in whole ten-billionths of a dollar, so that sums do not depend on their order.
import { modelId } from './model-id.ts'
import type { PriceRow } from './price-row.ts'
import { promptTokens, type Modifiers, type PriceClass, type Usage } from './tokens.ts'

/** Ten-billionths of a US dollar: one cent is a hundred million; exact up to 900,000 dollars. */
export type Money = number
const unitsPerDollar = 1e10

export function dollars(money: Money): number {
  return money / unitsPerDollar
}

export interface Cost {
  readonly byClass: Readonly<Record<PriceClass, Money>>
  readonly total: Money
  /** What it would have cost had no cache been used: all of the prompt at the rate for input. */
  readonly uncached: Money
}

/** Rows by model, each list with the latest first. */
export type PriceTable = ReadonlyMap<string, readonly PriceRow[]>

/** A table of these rows; where two lists have the same model, the later list's rows replace the earlier's altogether. */
export function priceTable(...lists: readonly (readonly PriceRow[])[]): PriceTable {
  const table = new Map<string, readonly PriceRow[]>()
  for (const list of lists) {
    const own = new Map<string, PriceRow[]>()
    for (const row of list) own.set(row.model, [...(own.get(row.model) ?? []), row])
    for (const [model, rows] of own)
      table.set(
        model,
        rows.toSorted((a, b) => (a.from < b.from ? 1 : -1)),
      )
  }
  return table
}

/**
 * The row that holds for a model (as logged) at a moment; undefined where the table has none: the request is unpriced. A moment before a
 * model's first row (a clock that was wrong) has that first row.
 */
export function priceRow(table: PriceTable, model: string, at: number): PriceRow | undefined {
  const rows = table.get(modelId(model))
  return rows?.find((row) => Date.parse(row.from) <= at) ?? rows?.at(-1)
}

/** The cost of one request, or undefined where its model has no price (`at`: milliseconds since 1970). */
export function price(table: PriceTable, usage: Usage, model: string, at: number, modifiers: Modifiers = {}): Cost | undefined {
  const row = priceRow(table, model, at)
  return row === undefined ? undefined : costOf(row, usage, modifiers)
}

/** The cost of one request by a row that was found before. Undefined for a fast request where the row has no fast mode. */
export function costOf(row: PriceRow, usage: Usage, modifiers: Modifiers): Cost | undefined {
  const cost = emptyCost()
  return reckon(row, usage, modifiers, cost) ? cost : undefined
}

/** A cost that `reckon` fills. */
export interface OpenCost {
  readonly byClass: Record<PriceClass, Money>
  total: Money
  uncached: Money
}

export function emptyCost(): OpenCost {
  return { byClass: { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, webSearch: 0 }, total: 0, uncached: 0 }
}

/** As `costOf`, but into an object that is there already: for a million requests in a row. Whether there is a price. */
export function reckon(row: PriceRow, usage: Usage, modifiers: Modifiers, cost: OpenCost): boolean {
  if (modifiers.fast === true && row.fast === undefined) return false
  const prompt = promptTokens(usage)
  const rates = row.above !== undefined && prompt > row.above.tokens ? row.above.rates : row.rates
  const factor =
    (modifiers.fast === true ? (row.fast ?? 1) : 1) *
    (modifiers.batch === true ? (row.batch ?? 1) : 1) *
    (modifiers.usOnly === true ? (row.usOnly ?? 1) : 1)
  const { byClass } = cost
  byClass.input = money(rates.input, usage.input, factor)
  byClass.output = money(rates.output, usage.output, factor)
  byClass.cacheWrite5m = money(rates.cacheWrite5m, usage.cacheWrite5m, factor)
  byClass.cacheWrite1h = money(rates.cacheWrite1h, usage.cacheWrite1h, factor)
  byClass.cacheRead = money(rates.cacheRead, usage.cacheRead, factor)
  byClass.webSearch = Math.round((row.webSearch ?? 0) * usage.webSearches * unitsPerDollar)
  cost.total = byClass.input + byClass.output + byClass.cacheWrite5m + byClass.cacheWrite1h + byClass.cacheRead + byClass.webSearch
  cost.uncached = money(rates.input, prompt, factor) + byClass.output + byClass.webSearch
  return true
}

/** `rate`: dollars for a million tokens. */
function money(rate: number, tokens: number, factor: number): Money {
  return Math.round(rate * tokens * factor * (unitsPerDollar / 1e6))
}
