// The policy of a proof: the one that `run` without a command would take in this folder. The agent's own login is not looked for: no secret of
// the user's is opened for a proof.
import { findAgent } from '../agents/list.ts'
import { loadPolicy } from '../policy/load.ts'
import type { EngineChoice, Policy } from '../model/policy.ts'
import { loadInput } from './policy-input.ts'

export async function loadPolicyForProof(flags: {
  readonly engine?: EngineChoice
  readonly policy?: string
  readonly project?: string
}): Promise<{ readonly policy: Policy; readonly project: string }> {
  const input = await loadInput({
    ...(flags.engine === undefined ? {} : { engine: flags.engine }),
    ...(flags.policy === undefined ? {} : { policy: flags.policy }),
    ...(flags.project === undefined ? {} : { project: flags.project }),
  })
  const { policy } = await loadPolicy({
    ...input,
    agentPresets: (name) => findAgent(name).presets,
    agentSecrets: async () => [],
  })
  return { policy, project: input.project }
}
