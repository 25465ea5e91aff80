// Money, tokens and shares as people read them, and the small drawings: bars and sparklines.
import { dollars, type Money } from '../../usage/price.ts'

/** "$12.34", "$1,234.56"; "$0.0042" where less than a cent would say nothing. */
export function usd(money: Money): string {
  return dollarsText(dollars(money))
}
export function dollarsText(value: number): string {
  const digits = value !== 0 && Math.abs(value) < 0.01 ? 4 : 2
  const [whole = '0', fraction = ''] = Math.abs(value).toFixed(digits).split('.')
  return `${value < 0 ? '-' : ''}$${grouped(whole)}.${fraction}`
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** "812", "12.3k", "4.56M", "1.20G". */
export function tokens(count: number): string {
  if (count < 10_000) return String(count)
  for (const [unit, size] of [
    ['k', 1e3],
    ['M', 1e6],
    ['G', 1e9],
  ] as const) {
    const value = count / size
    if (value < 999.5 || unit === 'G') return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)}${unit}`
  }
  return String(count)
}

export function percent(share: number | undefined): string {
  if (share === undefined) return ''
  return share > 0 && share < 0.01 ? '<1%' : `${Math.floor(share * 100 + 1e-9)}%`
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** A bar of at most `width` columns for a part of `most`. */
export function bar(value: number, most: number, width: number): string {
  if (most <= 0 || value <= 0) return ''
  const parts = Math.max(1, Math.round((value / most) * width * 8))
  return '█'.repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? '')
}

const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** One column for each value; more values than columns are put together by their largest. */
export function sparkline(values: readonly number[], width: number): string {
  const columns = Math.min(width, values.length)
  const shown = Array.from({ length: columns }, (_, at) =>
    values
      .slice(Math.floor((at * values.length) / columns), Math.floor(((at + 1) * values.length) / columns))
      .reduce((a, b) => Math.max(a, b), 0),
  )
  const most = shown.reduce((a, b) => Math.max(a, b), 0)
  return shown.map((value) => (most === 0 ? heights[0] : (heights[Math.min(7, Math.floor((value / most) * 7.999))] ?? heights[7]))).join('')
}
