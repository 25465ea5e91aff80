// Secrets, scan: which values of the user's are looked for: the policy's secrets, the store, and what the environment has under a credential's name.
import { Failure } from '../../errors/failure.ts'
import type { SecretRule } from '../../model/secret.ts'
import { readOptional, type SourceContext } from '../sources.ts'
import { listStored, readStored } from '../store.ts'
import type { Known } from './finding.ts'

export interface Gathered {
  readonly known: readonly Known[]
  /** Secrets whose value is not at hand, and why. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[]
}

/**
 * Commands and the keyring are not asked: they may want a finger or a password from somebody who only wants to know.
 * @param named says whether a variable's name is that of a credential
 */
export async function gatherKnown(
  rules: readonly SecretRule[],
  context: SourceContext,
  named: (variable: string) => boolean,
): Promise<Gathered> {
  const known = new Map<string, string>()
  const missing: { name: string; reason: string }[] = []
  const keep = (name: string, value: string | undefined): void => {
    if (value !== undefined && value.length >= 8 && !known.has(value)) known.set(value, name)
  }
  for (const rule of rules) {
    if (rule.from.kind === 'command' || rule.from.kind === 'keyring') {
      missing.push({ name: rule.name, reason: `${rule.from.kind === 'command' ? 'its command' : 'the keyring'} is not asked for a scan` })
      continue
    }
    try {
      keep(rule.name, await readOptional(rule, context))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      missing.push({ name: rule.name, reason: error.message })
    }
  }
  for (const { name } of await listStored(context.dataDir)) keep(name, await readStored(context.dataDir, name))
  for (const [name, value] of Object.entries(context.hostEnv)) if (named(name)) keep(name, value)
  return { known: [...known].map(([value, name]) => ({ name, value })), missing }
}
