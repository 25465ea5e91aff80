// Gateway, meter: which targets a budget is a reason to read. Pure; explain asks as well.
import type { Policy } from '../../model/policy.ts'
import { modelHosts } from '../../policy/model-hosts.ts'
import type { Target } from '../context.ts'
import type { Step } from '../steps/step.ts'

/** What the meter's step answers when it is asked whether it has to read what passes. */
export function meterGround(
  policy: Pick<Policy, 'env' | 'budget'>,
  env: Readonly<Record<string, string | undefined>>,
): Required<Pick<Step, 'concerns' | 'along'>> {
  const places = policy.budget === undefined ? [] : modelHosts(policy, env)
  const isModel = ({ host, port }: Target): boolean => places.some((place) => place.host === host && place.port === port)
  return {
    along: places.length === 0 ? 'only' : 'too',
    concerns: (target) => (isModel(target) ? 'its usage is metered for the budget' : undefined),
  }
}
