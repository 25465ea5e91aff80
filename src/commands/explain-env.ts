// `anchorhold explain env`: whether the cell has a variable, from where, and with which value. Made as a run makes it; nothing is started.
import type { Policy } from '../model/policy.ts'
import { originText } from '../policy/judge.ts'
import { envRule } from '../policy/layer-of-flags.ts'
import type { LoadInput } from '../policy/load.ts'
import { secretHostText } from '../policy/secret-hosts.ts'
import { namesCredential, redact } from '../session/redact.ts'
import { asRun } from './as-run.ts'
import type { Explained } from './explain.ts'

/** @throws Failure `policy/bad-env` for what is no name of a variable */
export async function explainEnv(name: string, policy: Policy, input: LoadInput): Promise<Explained> {
  envRule(name, undefined, { kind: 'flag', source: 'explain env' })
  const { env, agentEnv, agent } = await asRun(policy, input)
  const value = env[name]
  const rule = policy.env.find((candidate) => candidate.name === name)
  const secret = policy.secrets.find((candidate) => candidate.name === name)
  if (secret !== undefined) {
    const hosts = secret.hosts.map(secretHostText).join(', ')
    const reason = `it is a secret for ${hosts} (${originText(secret.origin)}): inside stands a placeholder of the same form, new in every session`
    return { subject: name, verdict: 'placeholder', reason, remedy: `anchorhold explain secret ${name}` }
  }
  const shown = value === undefined ? '' : namesCredential(name) ? '[redacted]' : redact(value)
  if (value === undefined) {
    if (rule !== undefined)
      return { subject: name, verdict: 'absent', reason: `${originText(rule.origin)} passes your own value on, and you have none set` }
    const reason = 'the environment is cleared, and no line of the policy names it'
    return { subject: name, verdict: 'absent', reason, remedy: `anchorhold run --env ${name} …` }
  }
  if (rule !== undefined) {
    const own = rule.value === undefined
    return {
      subject: name,
      verdict: own ? 'passed' : 'set',
      reason: own ? `your own value is passed on (${originText(rule.origin)})` : `it is set to ${shown} (${originText(rule.origin)})`,
    }
  }
  if (Object.hasOwn(agentEnv, name)) return { subject: name, verdict: 'set', reason: `the agent ${agent.name} needs it: ${shown}` }
  if (input.hostEnv[name] === value)
    return {
      subject: name,
      verdict: 'passed',
      reason: `your own value is passed on, as always for terminal, language and time zone: ${shown}`,
    }
  return { subject: name, verdict: 'set', reason: `every cell has its own: ${shown}` }
}
