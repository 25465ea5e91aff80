// The prices that come with anchorhold, as one list with the day they were last looked at.
import type { PriceRow } from './price-row.ts'
import { anthropicPrices } from './prices-anthropic.ts'
import { openaiPrices } from './prices-openai.ts'

export const shippedPrices: readonly PriceRow[] = [...anthropicPrices, ...openaiPrices]

/** The latest day on which a row was checked. */
export function pricesAsOf(rows: readonly PriceRow[]): string {
  return rows.reduce((latest, { checked }) => (checked > latest ? checked : latest), '')
}
