// What a corpus must add up to: the plainest possible sums over the truth, with prices written out here once more.
import type { TrueRequest } from './corpus.ts'

/** Dollars for a million tokens: input, output, write 5m, write 1h, read. */
type Rates = readonly [number, number, number, number, number]

function ratesOf(model: string, time: number, prompt: number): Rates | undefined {
  switch (model) {
    case 'claude-opus-5-5':
      return [4, 20, 5, 8, 0.2]
    case 'claude-sonnet-5-5':
      return time < Date.UTC(2026, 9, 7) ? [2, 10, 2.5, 4, 0.2] : [2, 10, 2.5, 4, 0.1]
    case 'claude-haiku-5-5':
      return prompt > 100_000 ? [0.5, 2.5, 0.625, 1, 0.05] : [0.1, 0.5, 0.125, 0.2, 0.01]
    case 'claude-sonnet-4-5-20250929':
      return prompt > 200_000 ? [6, 22.5, 7.5, 12, 0.6] : [3, 15, 3.75, 6, 0.3]
    case 'claude-opus-4-8':
      return [5, 25, 6.25, 10, 0.5]
    case 'claude-fable-5-1':
      return [10, 50, 12.5, 20, 0.25]
    default:
      return undefined
  }
}

/** Dollars of one request; undefined without a price. */
export function priceOf(request: TrueRequest): number | undefined {
  const { model, time, input, output, write5m, write1h, read, web, fast, batch, usOnly } = request
  const rates = ratesOf(model, time, input + write5m + write1h + read)
  if (rates === undefined) return undefined
  const factor = (fast ? 2 : 1) * (batch ? 0.5 : 1) * (usOnly && model !== 'claude-sonnet-4-5-20250929' ? 1.1 : 1)
  const [a, b, c, d, e] = rates
  return ((input * a + output * b + write5m * c + write1h * d + read * e) / 1e6) * factor + web * 0.01
}

export interface Sums {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheWrite5mTokens: number
  readonly cacheWrite1hTokens: number
  readonly cacheReadTokens: number
  readonly webSearches: number
  readonly unpricedTokens: number
}

export function sumsOf(requests: readonly TrueRequest[]): Sums {
  const sum = (of: (request: TrueRequest) => number): number => requests.reduce((total, request) => total + of(request), 0)
  return {
    requests: requests.length,
    inputTokens: sum(({ input }) => input),
    outputTokens: sum(({ output }) => output),
    cacheWrite5mTokens: sum(({ write5m }) => write5m),
    cacheWrite1hTokens: sum(({ write1h }) => write1h),
    cacheReadTokens: sum(({ read }) => read),
    webSearches: sum(({ web }) => web),
    unpricedTokens: sum((request) =>
      priceOf(request) === undefined ? request.input + request.output + request.write5m + request.write1h + request.read : 0,
    ),
  }
}

export function dollarsOf(requests: readonly TrueRequest[]): number {
  return requests.reduce((total, request) => total + (priceOf(request) ?? 0), 0)
}

export function by(requests: readonly TrueRequest[], keyOf: (request: TrueRequest) => string): ReadonlyMap<string, readonly TrueRequest[]> {
  const groups = new Map<string, TrueRequest[]>()
  for (const request of requests) groups.set(keyOf(request), [...(groups.get(keyOf(request)) ?? []), request])
  return groups
}
