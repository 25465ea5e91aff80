// Policy: rules whose methods and paths hold nothing back, because another rule allows the host as a whole. Pure; asked by load.ts.
import type { HostRule } from '../model/policy.ts'
import { isAboutRequests, originText, ruleText } from './judge.ts'
import { covered } from './narrow.ts'

/** One line for each such rule. Allows add up, and a reader of the limited one alone would believe in a wall that is not there. */
export function idleLimitNotes(rules: readonly HostRule[]): readonly string[] {
  return rules.flatMap((rule) => {
    if (rule.effect !== 'allow' || !isAboutRequests(rule) || rule.graphql !== undefined) return []
    const { effect, pattern, ports, origin } = rule
    const whole = rules.find((other) => !isAboutRequests(other) && covered({ effect, pattern, ports, origin }, [other]))
    if (whole === undefined) return []
    return [
      `${ruleText(rule)} (${originText(rule.origin)}) holds nothing back: ${ruleText(whole)} (${originText(whole.origin)}) allows the host as a whole. What must not happen stands in a deny.`,
    ]
  })
}
