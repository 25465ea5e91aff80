// The user's own values, which no change of an agent should hold: the policy's secrets, the store's, the environment's. Asked by the end of a
// review (review.ts) and by diff and apply.
import type { SecretRule } from '../model/secret.ts'
import type { Known } from '../secrets/scan/finding.ts'
import { gatherKnown } from '../secrets/scan/gather.ts'
import { namesCredential } from '../session/redact.ts'
import type { RunContext } from './context.ts'

/** Shorter ones, and single words (a password for tests), stand in ordinary text as well: every change would be flagged. */
const shortest = 12

export async function knownValues(rules: readonly SecretRule[], { env, home, folders }: RunContext): Promise<readonly Known[]> {
  const { known } = await gatherKnown(rules, { hostEnv: env, hostHome: home, dataDir: folders.data, shown: [] }, namesCredential)
  return known.filter(({ value }) => value.length >= shortest && !/^[A-Za-z]+$/.test(value))
}
