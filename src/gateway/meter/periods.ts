// Gateway, meter: which accounts a request counts for: its session's, its project's of the local day, its user's of the local month.
import type { BudgetScope } from '../../model/budget.ts'

export interface AccountName {
  readonly scope: BudgetScope
  /** `20261123-181500-ab12`, `2026-11-23`, `2026-11`. */
  readonly period: string
  /** Of a day. */
  readonly project?: string
}

/** One of each scope, at a moment. */
export function accountsAt(session: string, project: string, at: Date): readonly AccountName[] {
  const two = (number: number): string => String(number).padStart(2, '0')
  const month = `${at.getFullYear()}-${two(at.getMonth() + 1)}`
  return [
    { scope: 'session', period: session },
    { scope: 'day', period: `${month}-${two(at.getDate())}`, project },
    { scope: 'month', period: month },
  ]
}

export function accountKey({ scope, period, project = '' }: AccountName): string {
  return `${scope} ${period} ${project}`
}
