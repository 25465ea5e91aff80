// The policy of a proof: the one that a run with these flags would take in this folder, with the same digest. Where the agent has a login, its
// place is known, and neither it nor any other secret is opened: a proof puts made-up values there.
import type { Policy } from '../model/policy.ts'
import { loadEffective, type PolicyFlags } from './policy-input.ts'

export async function loadPolicyForProof(flags: PolicyFlags): Promise<{ readonly policy: Policy; readonly project: string }> {
  const { policy, input } = await loadEffective(flags)
  return { policy, project: input.project }
}
