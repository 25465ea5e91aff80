// Shared by diff and apply: the user's own values, which no change should hold: the policy's secrets, the store's, the environment's.
import { Failure } from '../errors/failure.ts'
import type { RunContext } from '../run/context.ts'
import type { Known } from '../secrets/scan/finding.ts'
import { gatherKnown } from '../secrets/scan/gather.ts'
import { namesCredential } from '../session/redact.ts'
import { loadEffective } from './policy-input.ts'

/** Shorter ones, and single words (a password for tests), stand in ordinary text as well: every change would be flagged. */
const shortest = 12

/** A policy that cannot be read, or approved, is no reason to show nothing: then the store and the environment are what is known. */
export async function knownValues({ env, home, folders }: RunContext): Promise<readonly Known[]> {
  const rules = await loadEffective({}).then(
    ({ policy }) => policy.secrets,
    (error: unknown) => {
      if (error instanceof Failure) return []
      throw error
    },
  )
  const { known } = await gatherKnown(rules, { hostEnv: env, hostHome: home, dataDir: folders.data, shown: [] }, namesCredential)
  return known.filter(({ value }) => value.length >= shortest && !/^[A-Za-z]+$/.test(value))
}
