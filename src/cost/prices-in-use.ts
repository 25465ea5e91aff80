// The prices of one call: the shipped ones, and over them the user's (`--prices FILE`, else `prices.yaml` or `prices.json` beside the policy).
import { existsSync } from 'node:fs'
import path from 'node:path'
import { bytesOfText, hashHigh, hashLow } from './bytes.ts'
import { priceTable, type PriceTable } from '../usage/price.ts'
import type { PriceRow } from '../usage/price-row.ts'
import { pricesAsOf, shippedPrices } from '../usage/shipped-prices.ts'

export interface PricesInUse {
  readonly table: PriceTable
  /** The latest day on which a shipped row was checked. */
  readonly asOf: string
  /** The user's file, where there is one. */
  readonly file: string | undefined
  /** 64 bits over all rows in use, hex: the same for the same prices. */
  readonly hash: () => string
}

/** Throws Failure `cost/bad-prices`. */
export async function loadPrices(config: string, given: string | undefined): Promise<PricesInUse> {
  const file =
    given ?? ['prices.yaml', 'prices.yml', 'prices.json'].map((name) => path.join(config, name)).find((candidate) => existsSync(candidate))
  const own: readonly PriceRow[] = file === undefined ? [] : (await import('../usage/read-prices.ts')).readPrices(file)
  const table = priceTable(shippedPrices, own)
  return { table, asOf: pricesAsOf(shippedPrices), file, hash: () => (own.length === 0 ? shippedHash : hashOf(table)) }
}

/** That of the shipped rows alone, reckoned beforehand; a test compares. */
export const shippedHash = 'c9e4cd5381bca0ac'

/** No cryptography: it tells two tables apart, and costs nothing at the start. */
export function hashOf(table: PriceTable): string {
  const text = bytesOfText(JSON.stringify([...table]))
  const parts = [hashLow(text, 0, text.length, 1), hashHigh(text, 0, text.length, 2)]
  return parts.map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('')
}
