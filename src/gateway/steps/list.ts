// Gateway, steps: the list. A new step is one file and one line here; the order is the order of judging, the last one is nearest to the server.
import type { HeldSecret } from '../../model/secret.ts'
import { isAboutRequests } from '../../policy/judge.ts'
import { requestRules } from '../../policy/judge-request.ts'
import type { Network } from '../context.ts'
import { routeOf } from '../dial/resolve.ts'
import { awsStep } from './aws.ts'
import { injectStep } from './inject.ts'
import type { SecretUses } from './inject/uses.ts'
import { rulesStep } from './rules.ts'
import type { Step } from './step.ts'

export interface StepsInput {
  readonly network: Network
  readonly secrets: readonly HeldSecret[]
  /** Told of every secret that is put in. Default: nobody. */
  readonly uses?: Pick<SecretUses, 'used' | 'echoed'>
  /** The meter, where there is one: meter.ts. */
  readonly meter?: Step
}

/** Made once per session. What only some requests need is loaded by the first of them. */
export function makeSteps({ network, secrets, uses = unheard, meter }: StepsInput): readonly Step[] {
  const steps: Step[] = []
  if (network.rules.some(isAboutRequests)) steps.push(rulesStep(network))
  if (secrets.length > 0)
    steps.push(
      injectStep(secrets, uses, (target) => requestRules(network, target) !== undefined || routeOf(network, target)?.to.scheme === 'http'),
    )
  if (meter !== undefined) steps.push(meter)
  const aws = awsStep(secrets, uses)
  if (aws !== undefined) steps.push(aws)
  return steps
}

const unheard = { used: () => undefined, echoed: () => undefined }
