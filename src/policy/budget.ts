// Policy: budgets as people write them (`budget: { session: 5 }`, `--budget "day=200k tokens"`) become numbers, and back.
import { Failure } from '../errors/failure.ts'
import { budgetScopes, type BudgetLimit, type BudgetRule, type BudgetScope, type BudgetUnit } from '../model/budget.ts'
import type { Origin } from '../model/policy.ts'
import { show } from './show.ts'

const factors: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 }

/** `5`, `$5`, `5 usd`, `200k tokens`, `50 requests`. Throws Failure `policy/bad-budget`. */
export function parseAmount(text: string, where: string): Pick<BudgetLimit, 'unit' | 'amount'> {
  const refuse = (reason: string): never => {
    throw new Failure('policy/bad-budget', { where, value: show(text), reason })
  }
  const [, sign, number = '', factor = '', word = ''] =
    /^\s*(\$?)\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([kmg]?)\s*([a-z]*)\s*$/i.exec(text) ?? refuse('it is no amount')
  const unit = unitOf(word.toLowerCase())
  if (unit === undefined || (sign !== '' && unit !== 'usd')) return refuse('it counts dollars, tokens or requests')
  if (unit === 'usd' && factor !== '') return refuse('dollars are written in full')
  const amount = Number(number) * (factors[factor.toLowerCase()] ?? Number.NaN)
  if (unit !== 'usd' && !Number.isSafeInteger(amount)) return refuse(`${unit} are counted whole`)
  return amount > most[unit] ? refuse('that is more than can be counted') : { unit, amount }
}

/** Dollars are kept in ten-billionths, exactly. */
const most: Readonly<Record<BudgetUnit, number>> = { usd: 500_000, tokens: 1e15, requests: 1e12 }

function unitOf(word: string): BudgetUnit | undefined {
  if (/^(?:|usd|dollars?)$/.test(word)) return 'usd'
  if (/^tokens?$/.test(word)) return 'tokens'
  return /^requests?$/.test(word) ? 'requests' : undefined
}

/** `AMOUNT` or `SCOPE=AMOUNT`; without a scope: the session. Throws Failure `policy/bad-budget`. */
export function parseBudget(text: string, where: string): BudgetLimit {
  const [, written, amount = ''] = /^(?:([^=]*)=)?(.*)$/s.exec(text) ?? []
  const scope = written === undefined ? 'session' : budgetScopes.find((name) => name === written.trim())
  if (scope === undefined)
    throw new Failure('policy/bad-budget', { where, value: show(text), reason: 'it is for a session, a day or a month' })
  return { scope, ...parseAmount(amount, where) }
}

type Written = string | number

/** `budget:` of a file: for each scope an amount, or several with a unit each. */
export function budgetOfFile(
  tree: Readonly<Partial<Record<BudgetScope, Written | readonly Written[] | undefined>>> | undefined,
  from: (...steps: readonly (string | number)[]) => Origin,
): readonly BudgetRule[] {
  const rules = budgetScopes.flatMap((scope) => {
    const written = tree?.[scope]
    if (written === undefined) return []
    const origin = from('budget', scope)
    const where = `${show(origin.source, 300)}:${origin.line}:${origin.column}`
    return [written].flat().map((each): BudgetRule => ({ scope, ...parseAmount(String(each), where), origin }))
  })
  const twice = rules.find(({ scope, unit }, at) =>
    rules.some((other, before) => before < at && other.scope === scope && other.unit === unit),
  )
  if (twice !== undefined)
    throw new Failure('policy/bad-budget', {
      where: `${show(twice.origin.source, 300)}:${twice.origin.line}:${twice.origin.column}`,
      value: budgetText(twice),
      reason: `${twice.unit === 'usd' ? 'dollars' : twice.unit} of a ${twice.scope} are limited twice`,
    })
  return rules
}

/** By scope and unit: flags outweigh the project's file, which narrowed or was approved, and that the user's. */
export function mergeBudgets(layers: readonly (readonly BudgetRule[])[]): readonly BudgetRule[] {
  return [...new Map(layers.flat().map((rule) => [`${rule.scope} ${rule.unit}`, rule])).values()]
}

/** `$5.00`, `200,000 tokens`, `1 request`. */
export function amountText({ unit, amount }: Pick<BudgetLimit, 'unit' | 'amount'>): string {
  // Cents, and below a dime what lies under them.
  if (unit === 'usd') return `$${amount.toFixed(Math.abs(amount) < 0.1 ? 4 : 2).replace(/(\.\d\d)00$/, '$1')}`
  const count = amount.toLocaleString('en-US')
  return `${count} ${amount === 1 ? unit.slice(0, -1) : unit}`
}

/** `session $5.00`. */
export function budgetText(limit: BudgetLimit): string {
  return `${limit.scope} ${amountText(limit)}`
}
