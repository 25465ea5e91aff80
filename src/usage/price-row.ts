// The form of a price: dollars for a million tokens, from a date on, with where it was read and when. Neighbours: prices-*.ts hold the rows.

/** US dollars for a million tokens of each class. */
export interface Rates {
  readonly input: number
  readonly output: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly cacheRead: number
}

export interface PriceRow {
  /** As model-id.ts makes it. */
  readonly model: string
  /** First day it holds, `YYYY-MM-DD`, UTC. The row with the latest day that is not after a request is that request's. */
  readonly from: string
  readonly rates: Rates
  /** Other rates for every token of a request whose prompt (input, read and written) is larger than so many tokens. */
  readonly above?: { readonly tokens: number; readonly rates: Rates }
  /** Multiplies every class of a fast request; none where there is no fast mode. */
  readonly fast?: number
  /** Multiplies every class of a request that had to stay in the United States. */
  readonly usOnly?: number
  /** Multiplies every class of a request in a batch. */
  readonly batch?: number
  /** Dollars for one search. */
  readonly webSearch?: number
  readonly source: string
  /** Day on which somebody looked at the source. */
  readonly checked: string
  readonly note?: string
}
