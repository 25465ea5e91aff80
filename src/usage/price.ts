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
  if (modifiers.fast === true && row.fast === undefined) return undefined
  const prompt = promptTokens(usage)
  const rates = row.above !== undefined && prompt > row.above.tokens ? row.above.rates : row.rates
  const factor =
    (modifiers.fast === true ? (row.fast ?? 1) : 1) *
    (modifiers.batch === true ? (row.batch ?? 1) : 1) *
    (modifiers.usOnly === true ? (row.usOnly ?? 1) : 1)
  const perToken = (rate: number, tokens: number): Money => Math.round(rate * tokens * factor * (unitsPerDollar / 1e6))
  const byClass = {
    input: perToken(rates.input, usage.input),
    output: perToken(rates.output, usage.output),
    cacheWrite5m: perToken(rates.cacheWrite5m, usage.cacheWrite5m),
    cacheWrite1h: perToken(rates.cacheWrite1h, usage.cacheWrite1h),
    cacheRead: perToken(rates.cacheRead, usage.cacheRead),
    webSearch: Math.round((row.webSearch ?? 0) * usage.webSearches * unitsPerDollar),
  }
  const total = byClass.input + byClass.output + byClass.cacheWrite5m + byClass.cacheWrite1h + byClass.cacheRead + byClass.webSearch
  return { byClass, total, uncached: perToken(rates.input, prompt) + byClass.output + byClass.webSearch }
}
