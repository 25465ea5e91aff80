// Gateway, steps: holds requests to the methods, paths and GraphQL of the rules. After it a request is what the rules allow, byte for byte.
import type { HostRule } from '../../model/policy.ts'
import { isAboutRequests, originText, ruleText } from '../../policy/judge.ts'
import { judgeRequest, requestRules, type RequestRules } from '../../policy/judge-request.ts'
import type { Network, Target } from '../context.ts'
import type { Step, StepRequest, StepResult } from './step.ts'

/** One per session. The rules of a target never change within it. */
export function rulesStep(network: Network): Step {
  const known = new Map<string, RequestRules | undefined>()
  const rulesOf = (target: Target): RequestRules | undefined => {
    const key = `${target.host}:${target.port}`
    if (!known.has(key)) known.set(key, requestRules(network, target))
    return known.get(key)
  }
  return {
    name: 'rules',
    concerns(target) {
      const rules = rulesOf(target)
      if (rules === undefined) return undefined
      const [first] = [...rules.denies, ...rules.allows].filter(isAboutRequests)
      return first === undefined ? 'a rule is about certain requests' : `the rule ${ruleText(first)} is about methods and paths`
    },
    request(request) {
      const rules = rulesOf(request.target)
      if (rules === undefined) return { kind: 'pass' }
      const verdict = judgeRequest(rules, request.method, request.path)
      if (verdict.kind === 'refuse') return { kind: 'refuse', refusal: verdict.refusal }
      return verdict.kind === 'allow' ? { kind: 'pass' } : holdToQueries(request, verdict.rule)
    },
  }
}

async function holdToQueries(request: StepRequest, rule: HostRule): Promise<StepResult> {
  const { judgeGraphqlRequest } = await import('./graphql.ts')
  const odd = await judgeGraphqlRequest(request)
  if (odd === undefined) return { kind: 'pass' }
  const reason = `${odd}; ${ruleText(rule)} (${originText(rule.origin)}) lets GraphQL queries pass alone`
  return {
    kind: 'refuse',
    refusal: { code: 'graphql', reason, remedy: `send one document of queries by POST, or change that rule (${originText(rule.origin)})` },
  }
}
