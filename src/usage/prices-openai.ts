// OpenAI's list prices, effective-dated, for what Codex logs. A row holds from its day on; add a row for a change, never edit one that held.
import type { PriceRow, Rates } from './price-row.ts'

/** Models before 5.6 bill what is written to the cache as plain input. */
function rates(input: number, output: number, cacheRead: number, cacheWrite: number = input): Rates {
  return { input, output, cacheWrite5m: cacheWrite, cacheWrite1h: cacheWrite, cacheRead }
}

/** Above 272,000 tokens the whole request costs twice the input and one and a half times the output. */
function long({ input, output, cacheRead, cacheWrite5m }: Rates): NonNullable<PriceRow['above']> {
  return { tokens: 272_000, rates: rates(input * 2, output * 1.5, cacheRead * 2, cacheWrite5m * 2) }
}

const always = '2025-01-01'
const seen = { source: 'developers.openai.com/api/docs/pricing (third-party copies of it)', checked: '2026-11-23', batch: 0.5 } as const

const gpt5 = rates(1.25, 10, 0.125)
const gpt52 = rates(1.75, 14, 0.175)
const mini = rates(0.25, 2, 0.025)

function row(model: string, from: string, price: Rates, more: Pick<PriceRow, 'above' | 'note'> = {}): PriceRow {
  return { model, from, rates: price, ...more, ...seen }
}
function rowWithTier(model: string, from: string, price: Rates, note?: string): PriceRow {
  return row(model, from, price, { above: long(price), ...(note === undefined ? {} : { note }) })
}

export const openaiPrices: readonly PriceRow[] = [
  row('gpt-5', always, gpt5),
  row('gpt-5-codex', always, gpt5),
  row('gpt-5-mini', always, mini),
  row('gpt-5.1', always, gpt5),
  row('gpt-5.1-codex', always, gpt5),
  row('gpt-5.1-codex-max', always, gpt5),
  row('gpt-5.1-codex-mini', always, mini),
  row('gpt-5.2', always, gpt52),
  row('gpt-5.2-codex', always, gpt52),
  row('gpt-5.3-codex', always, gpt52),
  rowWithTier('gpt-5.4', always, rates(2.5, 15, 0.25)),
  row('gpt-5.4-mini', always, rates(0.75, 4.5, 0.075)),
  row('gpt-5.4-nano', always, rates(0.2, 1.25, 0.02)),
  rowWithTier('gpt-5.5', always, rates(5, 30, 0.5)),
  rowWithTier('gpt-5.6-sol', '2026-07-09', rates(5, 30, 0.5, 6.25)),
  rowWithTier('gpt-5.6-sol', '2026-08-21', rates(4, 20, 0.4, 5), 'a promotion, announced to last until 2026-11-21 at least'),
  rowWithTier('gpt-5.6-terra', '2026-07-09', rates(2.5, 15, 0.25, 3.125)),
  rowWithTier('gpt-5.6-terra', '2026-07-30', rates(2, 12, 0.2, 2.5)),
  rowWithTier('gpt-5.6-luna', '2026-07-09', rates(1, 6, 0.1, 1.25)),
  rowWithTier('gpt-5.6-luna', '2026-07-30', rates(0.2, 1.2, 0.02, 0.25)),
  rowWithTier('gpt-6-astra', '2026-09-03', rates(10, 50, 1, 12.5)),
  rowWithTier('gpt-6-sol', '2026-09-22', rates(2, 10, 0.2, 2.5)),
  rowWithTier('gpt-6-luna', '2026-09-22', rates(0.1, 0.5, 0.01, 0.125)),
]
