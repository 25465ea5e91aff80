// Gateway, steps: the list. A new step is one file and one line here; the order is the order of judging, the last one is nearest to the server.
import type { HeldSecret } from '../../model/secret.ts'
import { isAboutRequests } from '../../policy/judge.ts'
import type { Network } from '../context.ts'
import { rulesStep } from './rules.ts'
import type { Step } from './step.ts'

export interface StepsInput {
  readonly network: Network
  readonly secrets: readonly HeldSecret[]
}

/** Made once per session. What only some requests need is loaded by the first of them. */
export function makeSteps({ network }: StepsInput): readonly Step[] {
  const steps: Step[] = []
  if (network.rules.some(isAboutRequests)) steps.push(rulesStep(network))
  return steps
}
