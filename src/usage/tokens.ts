// What one request to a model used, in the classes it is billed by. Neighbours: price.ts turns it into money; session logs and the gateway fill it in.

/** Tokens by class (never negative, whole numbers); `input` is what no cache had. Reasoning tokens are part of `output`. */
export interface Usage {
  readonly input: number
  readonly output: number
  /** Written to the cache for five minutes, or for an hour. */
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly cacheRead: number
  /** Searches done by the provider, billed by the piece. */
  readonly webSearches: number
}

/** How a request was served, as far as it changes the price. */
export interface Modifiers {
  readonly fast?: boolean
  readonly batch?: boolean
  /** The provider was asked to stay in the United States. */
  readonly usOnly?: boolean
}

export const priceClasses = ['input', 'output', 'cacheWrite5m', 'cacheWrite1h', 'cacheRead', 'webSearch'] as const
export type PriceClass = (typeof priceClasses)[number]

/** Everything that was sent: what a price's tier goes by. */
export function promptTokens(usage: Usage): number {
  return usage.input + usage.cacheWrite5m + usage.cacheWrite1h + usage.cacheRead
}
