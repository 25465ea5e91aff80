// Sums over requests: tokens and money by class, what would have been uncached, what has no price. Whole numbers only, so that no order matters.
import type { Cost, Money } from '../usage/price.ts'
import { column, numbersWide } from './records.ts'

export interface Tally {
  requests: number
  input: number
  output: number
  write5m: number
  write1h: number
  read: number
  searches: number
  /** Tokens of requests without a price; they are in the classes above too. */
  unpriced: number
  moneyInput: Money
  moneyOutput: Money
  moneyWrite5m: Money
  moneyWrite1h: Money
  moneyRead: Money
  moneySearch: Money
  /** Money in all, and had no cache been used. */
  money: Money
  uncached: Money
}

export function emptyTally(): Tally {
  const tokens = { requests: 0, input: 0, output: 0, write5m: 0, write1h: 0, read: 0, searches: 0, unpriced: 0 }
  const money = { moneyInput: 0, moneyOutput: 0, moneyWrite5m: 0, moneyWrite1h: 0, moneyRead: 0, moneySearch: 0, money: 0, uncached: 0 }
  return { ...tokens, ...money }
}

/** Adds the request whose numbers stand in `record`; `cost` is undefined where it has no price. */
export function addRequest(tally: Tally, numbers: Float64Array, record: number, cost: Cost | undefined): void {
  const n = record * numbersWide
  const input = numbers[n + column.input] as number
  const output = numbers[n + column.output] as number
  const write5m = numbers[n + column.write5m] as number
  const write1h = numbers[n + column.write1h] as number
  const read = numbers[n + column.read] as number
  tally.requests++
  tally.input += input
  tally.output += output
  tally.write5m += write5m
  tally.write1h += write1h
  tally.read += read
  tally.searches += numbers[n + column.web] as number
  if (cost === undefined) tally.unpriced += input + output + write5m + write1h + read
  else {
    const { byClass } = cost
    tally.moneyInput += byClass.input
    tally.moneyOutput += byClass.output
    tally.moneyWrite5m += byClass.cacheWrite5m
    tally.moneyWrite1h += byClass.cacheWrite1h
    tally.moneyRead += byClass.cacheRead
    tally.moneySearch += byClass.webSearch
    tally.money += cost.total
    tally.uncached += cost.uncached
  }
}

export function addTally(tally: Tally, other: Tally): void {
  tally.requests += other.requests
  tally.input += other.input
  tally.output += other.output
  tally.write5m += other.write5m
  tally.write1h += other.write1h
  tally.read += other.read
  tally.searches += other.searches
  tally.unpriced += other.unpriced
  tally.moneyInput += other.moneyInput
  tally.moneyOutput += other.moneyOutput
  tally.moneyWrite5m += other.moneyWrite5m
  tally.moneyWrite1h += other.moneyWrite1h
  tally.moneyRead += other.moneyRead
  tally.moneySearch += other.moneySearch
  tally.money += other.money
  tally.uncached += other.uncached
}

export function tokensOf(tally: Tally): number {
  return tally.input + tally.output + tally.write5m + tally.write1h + tally.read
}

/** The part of what was sent that came from the cache, 0 to 1; undefined where nothing was sent. */
export function hitRate(tally: Tally): number | undefined {
  const sent = tally.input + tally.write5m + tally.write1h + tally.read
  return sent === 0 ? undefined : tally.read / sent
}
