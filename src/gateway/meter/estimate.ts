// Gateway, meter: what a request can cost at most before it is sent, and what one cost whose answer did not tell. Estimates, on the dear side.
import { price, type PriceTable } from '../../usage/price.ts'
import { promptTokens, type Modifiers, type Usage } from '../../usage/tokens.ts'
import { nothing, type Amounts } from './accounts.ts'
import type { RequestFacts, Told } from './shape.ts'

/** Text has about four bytes a token, and hardly any kind of it less than two. */
const bytesPerToken = 2
/** Of a request that sets no bound itself. */
const usualMost = 128_000
/** No model writes faster; what was not waited for was not written. */
const tokensPerSecond = 500

export const noUsage: Usage = { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, webSearches: 0 }

/** Its whole prompt written to the cache, which is the dearest, and every token that it allows. */
export function worstUsage({ maxTokens, longCache }: RequestFacts, bytes: number): Usage {
  const prompt = Math.ceil(bytes / bytesPerToken)
  return { ...noUsage, ...(longCache === true ? { cacheWrite1h: prompt } : { cacheWrite5m: prompt }), output: maxTokens ?? usualMost }
}

/** What a stream that was cut after `milliseconds` cost: what it told of the prompt, and what can have been written in that time. */
export function cutUsage(told: Told, worst: Usage, milliseconds: number): Usage {
  const output = Math.min(worst.output, Math.ceil(((milliseconds + 1_000) / 1_000) * tokensPerSecond))
  const heard = told.usage
  return heard === undefined ? { ...worst, output } : { ...heard, output: Math.max(heard.output, output) }
}

export function tokensIn(usage: Usage): number {
  return promptTokens(usage) + usage.output
}

/** Undefined `usd`: the model has no price. */
export function priced(table: PriceTable, usage: Usage, models: readonly (string | undefined)[], modifiers: Modifiers): number | undefined {
  for (const model of models) {
    const cost = model === undefined ? undefined : price(table, usage, model, Date.now(), modifiers)
    if (cost !== undefined) return cost.total
  }
  return undefined
}

export function amounts(usage: Usage, usd: number | undefined, requests: number): Amounts {
  return { ...nothing, usd: usd ?? 0, tokens: tokensIn(usage), requests }
}
