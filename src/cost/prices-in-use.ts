// The prices of one call: the shipped ones, and over them the user's (`--prices FILE`, else `prices.yaml` or `prices.json` beside the policy).
import { existsSync } from 'node:fs'
import { createHash } from 'node:crypto'
import path from 'node:path'
import { priceTable, type PriceTable } from '../usage/price.ts'
import type { PriceRow } from '../usage/price-row.ts'
import { pricesAsOf, shippedPrices } from '../usage/shipped-prices.ts'

export interface PricesInUse {
  readonly table: PriceTable
  /** The latest day on which a shipped row was checked. */
  readonly asOf: string
  /** The user's file, where there is one. */
  readonly file: string | undefined
  /** sha-256 over all rows in use. */
  readonly hash: () => string
}

/** Throws Failure `cost/bad-prices`. */
export async function loadPrices(config: string, given: string | undefined): Promise<PricesInUse> {
  const file =
    given ?? ['prices.yaml', 'prices.yml', 'prices.json'].map((name) => path.join(config, name)).find((candidate) => existsSync(candidate))
  const own: readonly PriceRow[] = file === undefined ? [] : (await import('../usage/read-prices.ts')).readPrices(file)
  const table = priceTable(shippedPrices, own)
  const hash = (): string =>
    createHash('sha256')
      .update(JSON.stringify([...table]))
      .digest('hex')
  return { table, asOf: pricesAsOf(shippedPrices), file, hash }
}
