// Policy check: asks every rule, and puts the answers in order. Pure; `anchorhold policy check` shows them, a proof lists what the policy opens.
import { envRules } from './env-rules.ts'
import { fileRules } from './file-rules.ts'
import { hostRules } from './host-rules.ts'
import { idleRules } from './idle-rules.ts'
import { openRules } from './open-rules.ts'
import { runRules } from './run-rules.ts'
import { secretRules } from './secret-rules.ts'
import type { CheckFinding, CheckInput, CheckRule, Severity } from './types.ts'

/** Every rule there is; a new one is a line in one of these lists. */
export const checkRules: readonly CheckRule[] = [
  ...openRules,
  ...hostRules,
  ...idleRules,
  ...secretRules,
  ...fileRules,
  ...envRules,
  ...runRules,
]

/** What a policy opens, and what of it does nothing, by place: files first, in the order of their lines, then flags. */
export function checkPolicy(input: CheckInput): readonly CheckFinding[] {
  const found = checkRules.flatMap((rule) =>
    rule.find(input).map(({ severity = rule.severity, ...hit }): CheckFinding => ({ id: rule.id, severity, ...hit })),
  )
  const unique = new Map(found.map((finding) => [`${finding.id} ${finding.subject} ${placeKey(finding)}`, finding]))
  return [...unique.values()].toSorted(
    (a, b) =>
      compare(a.origin.line === undefined ? 1 : 0, b.origin.line === undefined ? 1 : 0) ||
      compare(a.origin.source, b.origin.source) ||
      compare(a.origin.line ?? 0, b.origin.line ?? 0) ||
      compare(a.origin.column ?? 0, b.origin.column ?? 0) ||
      compare(severities.indexOf(a.severity), severities.indexOf(b.severity)),
  )
}

/** Worst first. */
export const severities: readonly Severity[] = ['error', 'warning', 'note']

function placeKey({ origin }: CheckFinding): string {
  return `${origin.source}:${origin.line ?? ''}:${origin.column ?? ''}`
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
