// Usage and budgets in words, for the banner, the summary, the log and `anchorhold budget`. Raw text: callers make it plain.
import type { BudgetLimit } from '../model/budget.ts'
import type { SessionEvent } from '../model/events.ts'
import { amountText } from '../policy/budget.ts'
import type { ModelTotals } from '../session/state.ts'
import { counted, duration, listed } from './units.ts'

type Told = Extract<SessionEvent, { kind: 'model.usage' | 'budget.warning' | 'budget.refused' | 'budget.state' }>

export function describeModel(event: Told): string {
  switch (event.kind) {
    case 'budget.refused':
      return `request to a model refused: ${event.reason}`
    case 'budget.warning':
      return warningText(event)
    case 'budget.state':
      return `budget: ${budgetsInWords(event.rows)}`
    case 'model.usage': {
      const tokens = [
        `${event.inputTokens} in`,
        `${event.outputTokens} out`,
        `${event.cacheReadTokens} read from the cache`,
        `${event.cacheWrite5mTokens + event.cacheWrite1hTokens} written to it`,
      ]
      const first = event.timeToFirstTokenMs === undefined ? '' : `, first token after ${duration(event.timeToFirstTokenMs)}`
      const how = event.counted === 'told' ? '' : ` (${event.counted})`
      return `model ${event.model ?? 'unknown'} at ${event.host}:${event.port}: status ${event.status}, ${tokens.join(', ')}, ${event.usd === undefined ? 'unpriced' : amountText({ unit: 'usd', amount: event.usd })}${how}${first}`
    }
  }
}

/** "82 % of the budget for this session is spent ($4.10 of $5.00); to raise it: …". */
export function warningText({ scope, unit, spent, limit, raise }: Extract<Told, { kind: 'budget.warning' }>): string {
  const share = Math.floor((spent / limit) * 100)
  return `${share} % of the ${scope}'s budget is spent (${amountText({ unit, amount: spent })} of ${amountText({ unit, amount: limit })}); to raise it: ${raise}`
}

export function budgetsInWords(rows: Extract<Told, { kind: 'budget.state' }>['rows']): string {
  return rows
    .map(
      ({ scope, unit, spent, limit }) =>
        `${amountText({ unit, amount: spent })} of ${amountText({ unit, amount: limit })} for the ${scope}`,
    )
    .join(', ')
}

/** "session $5.00, day 200,000 tokens". */
export function limitsInWords(limits: readonly BudgetLimit[]): readonly string[] {
  return limits.map((limit) => `${limit.scope} ${amountText(limit)}`)
}

/** "12 requests to models, 48,210 tokens, 91 % of the prompt from the cache, $0.4210; budget: …". */
export function modelsInWords(models: ModelTotals, budget: Parameters<typeof budgetsInWords>[0] | undefined): string {
  const prompt = models.input + models.cacheWrite5m + models.cacheWrite1h + models.cacheRead
  const parts = [
    counted(models.requests, 'model request'),
    counted(prompt + models.output, 'token').replace(/^\d+/, (digits) => Number(digits).toLocaleString('en-US')),
    ...(prompt === 0 ? [] : [`${Math.round((models.cacheRead / prompt) * 100)} % of the prompt from the cache`]),
    amountText({ unit: 'usd', amount: models.usd }),
    ...(models.unpriced === 0 ? [] : [`${models.unpriced.toLocaleString('en-US')} tokens unpriced`]),
    ...(models.untold === 0 ? [] : [`${counted(models.untold, 'request')} estimated`]),
  ]
  return `${listed(parts, parts.length)}${budget === undefined || budget.length === 0 ? '' : `; budget: ${budgetsInWords(budget)}`}`
}
