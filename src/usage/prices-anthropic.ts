// Anthropic's list prices, effective-dated. A row holds from its day on; add a row for a change, never edit one that held.
import type { PriceRow, Rates } from './price-row.ts'

/** `input output write5m write1h read`, as the price page has them. */
function rates(input: number, output: number, cacheWrite5m: number, cacheWrite1h: number, cacheRead: number): Rates {
  return { input, output, cacheWrite5m, cacheWrite1h, cacheRead }
}

const always = '2024-01-01'
const page = 'platform.claude.com/docs/en/about-claude/pricing'
const seen = { source: page, checked: '2026-11-23', batch: 0.5, webSearch: 0.01 } as const
/** Models since Opus 4.6 cost a tenth more where they must stay in the United States. */
const recent = { ...seen, usOnly: 1.1 } as const
const fast = { fast: 2 } as const

const opus5 = rates(5, 25, 6.25, 10, 0.5)
const opus4 = rates(15, 75, 18.75, 30, 1.5)
const sonnet4 = rates(3, 15, 3.75, 6, 0.3)
const sonnet4Long = { tokens: 200_000, rates: rates(6, 22.5, 7.5, 12, 0.6) } as const
const sonnet5 = rates(2, 10, 2.5, 4, 0.2)
const fable5 = rates(10, 50, 12.5, 20, 1)
const fable51 = rates(10, 50, 12.5, 20, 0.25)

export const anthropicPrices: readonly PriceRow[] = [
  {
    model: 'claude-fable-5-2',
    from: '2026-11-09',
    rates: rates(8, 40, 10, 16, 0.2),
    ...recent,
    ...fast,
    note: 'read in third-party tables only; check again',
  },
  { model: 'claude-fable-5-1', from: always, rates: fable51, ...recent },
  { model: 'claude-mythos-5-1', from: always, rates: fable51, ...recent },
  { model: 'claude-fable-5', from: always, rates: fable5, ...recent },
  { model: 'claude-mythos-5', from: always, rates: fable5, ...recent },
  { model: 'claude-opus-5-5', from: '2026-09-22', rates: rates(4, 20, 5, 8, 0.2), ...recent, ...fast },
  { model: 'claude-opus-5', from: always, rates: opus5, ...recent, ...fast },
  { model: 'claude-opus-4-8', from: always, rates: opus5, ...recent, ...fast },
  { model: 'claude-opus-4-7', from: always, rates: opus5, ...recent, ...fast },
  { model: 'claude-opus-4-6', from: always, rates: opus5, ...recent, fast: 6, note: 'fast mode was 30 in, 150 out' },
  { model: 'claude-opus-4-5', from: always, rates: opus5, ...seen },
  { model: 'claude-opus-4-1', from: always, rates: opus4, ...seen },
  { model: 'claude-opus-4-0', from: always, rates: opus4, ...seen },
  { model: 'claude-opus-4', from: always, rates: opus4, ...seen },
  { model: 'claude-sonnet-5-5', from: always, rates: sonnet5, ...recent },
  { model: 'claude-sonnet-5-5', from: '2026-10-07', rates: rates(2, 10, 2.5, 4, 0.1), ...recent },
  { model: 'claude-sonnet-5', from: always, rates: sonnet5, ...recent },
  { model: 'claude-sonnet-4-6', from: always, rates: sonnet4, ...recent },
  { model: 'claude-sonnet-4-5', from: always, rates: sonnet4, above: sonnet4Long, ...seen },
  { model: 'claude-sonnet-4-0', from: always, rates: sonnet4, above: sonnet4Long, ...seen },
  { model: 'claude-sonnet-4', from: always, rates: sonnet4, above: sonnet4Long, ...seen },
  { model: 'claude-3-7-sonnet', from: always, rates: sonnet4, ...seen },
  { model: 'claude-3-5-sonnet', from: always, rates: sonnet4, ...seen },
  {
    model: 'claude-haiku-5-5',
    from: '2026-10-07',
    rates: rates(0.1, 0.5, 0.125, 0.2, 0.01),
    above: { tokens: 100_000, rates: rates(0.5, 2.5, 0.625, 1, 0.05) },
    ...recent,
  },
  { model: 'claude-haiku-4-5', from: always, rates: rates(1, 5, 1.25, 2, 0.1), ...seen },
  { model: 'claude-3-5-haiku', from: always, rates: rates(0.8, 4, 1, 1.6, 0.08), ...seen },
  { model: 'claude-3-opus', from: always, rates: opus4, ...seen },
  { model: 'claude-3-haiku', from: always, rates: rates(0.25, 1.25, 0.3, 0.5, 0.03), ...seen },
]
