// The price of each request of a table: rows are looked up once per model, the day and the tier are each request's own.
import { modelId } from '../usage/model-id.ts'
import { emptyCost, reckon, type Cost, type PriceTable } from '../usage/price.ts'
import type { PriceRow } from '../usage/price-row.ts'
import type { Modifiers } from '../usage/tokens.ts'
import type { Logs } from './logs.ts'
import { column, flag, numbersWide, word, wordsWide } from './records.ts'

/** Undefined for a request without a price. The object holds until the next call. */
export type PriceOf = (record: number, time: number) => Cost | undefined

export function pricesFor({ records: { numbers, words }, models }: Logs, table: PriceTable): PriceOf {
  const rows = models.map((model) => (table.get(modelId(model)) ?? []).map((row) => ({ from: Date.parse(row.from), row })))
  const rowOf = (model: number, time: number): PriceRow | undefined => {
    const known = rows[model] ?? []
    for (const { from, row } of known) if (from <= time) return row
    return known.at(-1)?.row
  }
  const usage = { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, webSearches: 0 }
  const cost = emptyCost()
  return (record, time) => {
    const w = record * wordsWide
    const row = rowOf(words[w + word.model] as number, time)
    if (row === undefined) return undefined
    const n = record * numbersWide
    usage.input = numbers[n + column.input] as number
    usage.output = numbers[n + column.output] as number
    usage.cacheWrite5m = numbers[n + column.write5m] as number
    usage.cacheWrite1h = numbers[n + column.write1h] as number
    usage.cacheRead = numbers[n + column.read] as number
    usage.webSearches = numbers[n + column.web] as number
    return reckon(row, usage, modifiersOf(words[w + word.flags] as number), cost) ? cost : undefined
  }
}

const plain: Modifiers = {}

function modifiersOf(flags: number): Modifiers {
  if ((flags & (flag.fast | flag.batch | flag.usOnly)) === 0) return plain
  return { fast: (flags & flag.fast) !== 0, batch: (flags & flag.batch) !== 0, usOnly: (flags & flag.usOnly) !== 0 }
}
