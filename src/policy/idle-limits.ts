// Policy: rules whose methods and paths hold nothing back, because another rule allows the host as a whole. Pure; asked by load.ts and check/.
import type { HostRule } from '../model/policy.ts'
import { isAboutRequests, originText, ruleText } from './judge.ts'
import { covered } from './narrow.ts'

/** Each such rule, with the one that makes it idle. Allows add up, and a reader of the limited one alone would believe in a wall that is not there. */
export function idleLimits(rules: readonly HostRule[]): readonly (readonly [rule: HostRule, whole: HostRule])[] {
  return rules.flatMap((rule): readonly (readonly [HostRule, HostRule])[] => {
    if (rule.effect !== 'allow' || !isAboutRequests(rule) || rule.graphql !== undefined) return []
    const { effect, pattern, ports, origin } = rule
    const whole = rules.find((other) => !isAboutRequests(other) && covered({ effect, pattern, ports, origin }, [other]))
    return whole === undefined ? [] : [[rule, whole]]
  })
}

/** One line for each. */
export function idleLimitNotes(rules: readonly HostRule[]): readonly string[] {
  return idleLimits(rules).map(
    ([rule, whole]) =>
      `${ruleText(rule)} (${originText(rule.origin)}) holds nothing back: ${ruleText(whole)} (${originText(whole.origin)}) allows the host as a whole. What must not happen stands in a deny.`,
  )
}
