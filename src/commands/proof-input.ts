// The policy of a proof: the one that a run with these flags would take in this folder, with the same digest. Where the agent has a login, its
// place is known, and neither it nor any other secret is opened: a proof puts made-up values there.
import type { Policy } from '../model/policy.ts'
import type { Opening } from '../model/proof.ts'
import { checkPolicy } from '../policy/check/check.ts'
import { idleRules } from '../policy/check/idle-rules.ts'
import { originText } from '../policy/judge.ts'
import type { LoadedPolicy, LoadInput } from '../policy/load.ts'
import { lookAround } from './policy-check.ts'
import { loadEffective, type PolicyFlags } from './policy-input.ts'

export interface ProofInput {
  readonly policy: Policy
  readonly project: string
  readonly opens: readonly Opening[]
}

export async function loadForProof(flags: PolicyFlags): Promise<ProofInput> {
  const { input, ...loaded } = await loadEffective(flags)
  return { policy: loaded.policy, project: input.project, opens: await opensOf(loaded, input) }
}

/** What `anchorhold policy check` finds, but for lines that do nothing: those open nothing. */
async function opensOf(loaded: LoadedPolicy, input: LoadInput): Promise<readonly Opening[]> {
  const idle = new Set(idleRules.map(({ id }) => id))
  return checkPolicy({ ...loaded, seen: await lookAround({ loaded }, input) })
    .filter(({ id }) => !idle.has(id))
    .map(({ id, severity, subject, origin, means, instead }) => ({
      rule: id,
      severity,
      subject,
      place: originText(origin),
      means,
      ...(instead === undefined ? {} : { instead }),
    }))
}
