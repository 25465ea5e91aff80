// What may be used up: of dollars, tokens or requests, by a session, by a project in a day, by a user in a month.
import type { Origin } from './policy.ts'

export const budgetScopes = ['session', 'day', 'month'] as const
/** `day`: this project, this local day. `month`: this user, this local month. */
export type BudgetScope = (typeof budgetScopes)[number]
export const budgetUnits = ['usd', 'tokens', 'requests'] as const
export type BudgetUnit = (typeof budgetUnits)[number]

export interface BudgetLimit {
  readonly scope: BudgetScope
  readonly unit: BudgetUnit
  /** Dollars, tokens of every class together, or requests to a model. */
  readonly amount: number
}

export interface BudgetRule extends BudgetLimit {
  readonly origin: Origin
}
