// Secrets: the policy's bindings become held secrets: every value is read and checked, and gets its placeholder. After the policy, before the gateway.
import { Failure } from '../errors/failure.ts'
import type { HeldSecret, SecretRule } from '../model/secret.ts'
import { makePlaceholder } from './placeholder.ts'
import { readSource, type SourceContext } from './sources.ts'
import { checkValue } from './value.ts'

/** All or none. Throws a Failure of the group `secret`; no message holds a value. */
export async function openSecrets(rules: readonly SecretRule[], context: SourceContext): Promise<readonly HeldSecret[]> {
  const values: string[] = []
  for (const rule of rules) values.push(checkValue(rule.name, await readSource(rule, context), whereOf(rule))) // one after the other: some ask the user
  const held: HeldSecret[] = []
  for (const [index, rule] of rules.entries())
    held.push(hold(rule, values[index] ?? '', [...values, ...held.map(({ placeholder }) => placeholder)]))
  return held
}

/** A value that stays the same for the whole session. */
function hold(rule: SecretRule, value: string, others: readonly string[]): HeldSecret {
  const placeholder = makePlaceholder(value, (text) => others.some((other) => other.includes(text) || text.includes(other)))
  if (placeholder === undefined)
    throw new Failure('secret/bad-value', {
      secret: rule.name,
      where: whereOf(rule),
      reason: 'it has too few letters and digits for a placeholder of the same form that differs from it',
    })
  return { rule, placeholder, current: async () => value, values: () => [value] }
}

function whereOf({ from }: SecretRule): string {
  if (from.kind === 'env') return `your variable ${from.variable}`
  if (from.kind === 'file') return from.path
  return from.kind === 'command' ? `what ${from.argv[0]} printed` : from.kind === 'store' ? "anchorhold's store" : 'the keyring'
}
