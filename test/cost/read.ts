// Reads a corpus in this process, the way the command does.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { collect } from '../../src/cost/collect.ts'
import { dedupe } from '../../src/cost/dedupe.ts'
import { groupBy, type Filter, type View } from '../../src/cost/group.ts'
import { pricesFor } from '../../src/cost/priced.ts'
import { loadPrices } from '../../src/cost/prices-in-use.ts'
import { viewJson } from '../../src/report/cost/json.ts'
import { makeReport, type CostReport } from '../../src/report/cost/report.ts'

export function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ah-cost-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface ReadOptions {
  readonly cache?: string
  readonly filter?: Filter
  readonly env?: Readonly<Record<string, string>>
  readonly home?: string
  readonly now?: number
}

export async function report(folder: string, view: View, options: ReadOptions = {}): Promise<CostReport> {
  const { cache, filter = {}, env = { CLAUDE_CONFIG_DIR: folder }, home = '/nonexistent', now = Date.now() } = options
  const logs = await collect({ places: { env, home, cells: path.join(folder, 'cells') }, cache, version: 'test' })
  const requests = dedupe(logs)
  const prices = await loadPrices('/nonexistent', undefined)
  const priceOf = pricesFor(logs, prices.table)
  const grouped = groupBy(view, logs, requests, priceOf, filter)
  return makeReport({ view, logs, requests, grouped, filter, prices, priceOf, timeZone: 'UTC', now })
}

export type Row = Readonly<Record<string, unknown>> & { readonly usd: number }
export interface View_ {
  readonly totals: Row
  readonly rows: readonly Row[]
  readonly damaged: readonly { readonly file: string; readonly line: number; readonly reason: string }[]
}

export async function json(folder: string, view: View, options: ReadOptions = {}): Promise<View_> {
  return JSON.parse(JSON.stringify(viewJson(await report(folder, view, options)))) as View_
}
