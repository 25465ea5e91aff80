// The user's own prices: a file of YAML or JSON that replaces the shipped rows of the models it names. Strict: an unknown key is an error.
// Loaded only where there is such a file.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parse } from 'yaml'
import { Failure } from '../errors/failure.ts'
import { modelId } from './model-id.ts'
import type { PriceRow } from './price-row.ts'

const amount = z.number().nonnegative().finite()
const rates = {
  input: amount,
  output: amount,
  cacheWrite5m: amount.optional(),
  cacheWrite1h: amount.optional(),
  cacheRead: amount.optional(),
}
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'a day such as 2026-11-23, in quotes')
const rowSchema = z.strictObject({
  model: z.string().min(1),
  from: day.optional(),
  ...rates,
  above: z.strictObject({ tokens: amount, ...rates }).optional(),
  fast: amount.optional(),
  usOnly: amount.optional(),
  batch: amount.optional(),
  webSearch: amount.optional(),
  source: z.string().optional(),
  checked: day.optional(),
  note: z.string().optional(),
})
const fileSchema = z.strictObject({ prices: z.array(rowSchema) })

type Given = z.infer<typeof rowSchema>

/** Rows in the order of the file. Rates that are left out are that of input. Throws Failure `cost/bad-prices`. */
export function readPrices(file: string): readonly PriceRow[] {
  const fail = (reason: string): Failure => new Failure('cost/bad-prices', { file, reason })
  let tree: unknown
  try {
    tree = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 })
  } catch (error) {
    throw fail(error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it cannot be read')
  }
  const result = fileSchema.safeParse(tree)
  if (result.success) return result.data.prices.map((row) => rowOf(row, file))
  const [issue] = result.error.issues
  throw fail(`${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'it has another form'}`)
}

function rowOf(given: Given, file: string): PriceRow {
  const { above, fast, usOnly, batch, webSearch, note } = given
  return {
    model: modelId(given.model),
    from: given.from ?? '2000-01-01',
    rates: ratesOf(given),
    ...(above === undefined ? {} : { above: { tokens: above.tokens, rates: ratesOf(above) } }),
    ...(fast === undefined ? {} : { fast }),
    ...(usOnly === undefined ? {} : { usOnly }),
    ...(batch === undefined ? {} : { batch }),
    ...(webSearch === undefined ? {} : { webSearch }),
    ...(note === undefined ? {} : { note }),
    source: given.source ?? file,
    checked: given.checked ?? '',
  }
}

function ratesOf(given: Pick<Given, keyof PriceRow['rates']>): PriceRow['rates'] {
  const { input, output, cacheWrite5m = input, cacheWrite1h = cacheWrite5m, cacheRead = input } = given
  return { input, output, cacheWrite5m, cacheWrite1h, cacheRead }
}
