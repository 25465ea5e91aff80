// Secrets: the policy's bindings become held secrets: every value is read and checked, and gets its placeholder. After the policy, before the gateway.
import { Failure } from '../errors/failure.ts'
import type { Ask, HeldSecret, SecretRule } from '../model/secret.ts'
import { holdLogin } from './login/hold.ts'
import { makePlaceholder } from './placeholder.ts'
import { readOptional, type SourceContext } from './sources.ts'
import { checkValue } from './value.ts'

/** `ask` makes requests of the host's own, once the gateway is open. All or none, but for optional ones without a value. Throws a Failure of the group `secret`; no message holds a value. */
export async function openSecrets(
  rules: readonly SecretRule[],
  context: SourceContext,
  ask: Ask = noGateway,
): Promise<readonly HeldSecret[]> {
  const answers = new Map<string, Promise<string>>()
  const found: { readonly rule: SecretRule; readonly value: string }[] = []
  // One after the other: some ask the user.
  for (const rule of rules) {
    const value = await readOptional(rule, { ...context, answers })
    if (value !== undefined) found.push({ rule, value: checkValue(rule.name, value, whereOf(rule)) })
  }
  const values = found.map(({ value }) => value)
  const held: HeldSecret[] = []
  for (const { rule, value } of found) held.push(hold(rule, value, [...values, ...held.map(({ placeholder }) => placeholder)], ask))
  return held
}

/** Where only the value of now is wanted (`explain`). */
const noGateway: Ask = () => Promise.reject(new Error('nothing is asked here'))

/** A login is refreshed; every other value stays the same for the whole session. */
function hold(rule: SecretRule, value: string, others: readonly string[], ask: Ask): HeldSecret {
  const placeholder = makePlaceholder(value, (text) => others.some((other) => other.includes(text) || text.includes(other)))
  if (placeholder === undefined)
    throw new Failure('secret/bad-value', {
      secret: rule.name,
      where: whereOf(rule),
      reason: 'it has too few letters and digits for a placeholder of the same form that differs from it',
    })
  if (rule.from.kind === 'login') return { rule, placeholder, ...holdLogin(rule, rule.from, value, ask) }
  return { rule, placeholder, current: async () => value, values: () => [value] }
}

function whereOf({ from }: SecretRule): string {
  if (from.kind === 'env') return `your variable ${from.variable}`
  if (from.kind === 'file' || from.kind === 'login') return from.path
  return from.kind === 'command' ? `what ${from.argv[0]} printed` : from.kind === 'store' ? "anchorhold's store" : 'the keyring'
}
