// Shared by diff and apply: the user's own values, by the policy that is in force here.
import { Failure } from '../errors/failure.ts'
import type { RunContext } from '../run/context.ts'
import { knownValues } from '../run/known-values.ts'
import type { Known } from '../secrets/scan/finding.ts'
import { loadEffective } from './policy-input.ts'

/** A policy that cannot be read, or approved, is no reason to show nothing: then the store and the environment are what is known. */
export async function ownValues(context: RunContext): Promise<readonly Known[]> {
  const rules = await loadEffective({}).then(
    ({ policy }) => policy.secrets,
    (error: unknown) => {
      if (error instanceof Failure) return []
      throw error
    },
  )
  return knownValues(rules, context)
}
