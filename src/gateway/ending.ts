// Gateway: whether TLS to a target is ended here, and why. Asked by door.ts for each connection and by `anchorhold explain host`. Pure.
import type { HostRule } from '../model/policy.ts'
import { isAboutRequests, matches } from '../policy/judge.ts'
import type { GatewayContext, Target } from './context.ts'
import { routeOf } from './dial/resolve.ts'
import { unlimited } from './judging.ts'

export interface EndingVerdict {
  readonly ended: boolean
  /** In words, without a full stop. */
  readonly why: string
}

type Grounds = Pick<GatewayContext, 'network' | 'steps'>

/** `rules`: those that allow the target. The policy's own refusal of contradictions makes sure that a pass-through host has no reason of its own. */
export function judgeEnding({ network, steps }: Grounds, target: Target, rules: readonly HostRule[]): EndingVerdict {
  const passed = network.passThrough?.find(
    ({ pattern, ports }) => matches(pattern, target.host) && (ports === 'all' || ports.includes(target.port)),
  )
  if (passed !== undefined) return { ended: false, why: 'network.passThrough names it' }
  const reasons = steps.flatMap((step) => step.concerns(target) ?? [])
  const route = routeOf(network, target)
  if (route?.to.scheme === 'http') reasons.push(`its route leads to plain HTTP at ${route.to.address} port ${route.to.port}`)
  if (reasons.length === 0 && !unlimited(rules)) reasons.push('it is allowed for certain methods or paths only')
  return reasons.length > 0 ? { ended: true, why: reasons.join('; ') } : { ended: false, why: 'nothing here needs to read what passes' }
}

/** Whether any connection of a session may have a reason, so that it needs an authority that its cell trusts. */
export function mayEnd({ network, steps }: Grounds): boolean {
  const limited = network.rules.some(isAboutRequests)
  return steps.some(({ along }) => along !== 'only') || limited || network.routes.some((route) => route.to.scheme === 'http')
}
