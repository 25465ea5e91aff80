// Gateway, meter: where models are asked, as far as a policy tells: the hosts whose TLS a budget is a reason to end. Pure; explain asks as well.
import type { Policy } from '../../model/policy.ts'
import { tryCanonicalHost } from '../../policy/host-name.ts'
import type { Target } from '../context.ts'
import type { Step } from '../steps/step.ts'

type Env = Readonly<Record<string, string | undefined>>

const known: readonly Place[] = ['api.anthropic.com', 'api.openai.com'].map((host) => ({ host, port: 443 }))
const variables: readonly string[] = ['ANTHROPIC_BASE_URL', 'OPENAI_BASE_URL', 'OPENAI_API_BASE']

interface Place {
  readonly host: string
  readonly port: number
}

/** The usual ones, and those that the policy's own variables name. `env`: the caller's, for a variable that is only passed on. */
function modelHosts({ env: rules }: Pick<Policy, 'env'>, env: Env): readonly Place[] {
  const named = rules
    .filter(({ name }) => variables.includes(name))
    .flatMap(({ name, value = env[name] }) => (value === undefined ? [] : placeOf(value)))
  return [...known, ...named]
}

function placeOf(text: string): readonly Place[] {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return []
  const name = tryCanonicalHost(url.hostname)
  return name.ok ? [{ host: name.host, port: url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port) }] : []
}

/** What the meter's step answers when it is asked whether it has to read what passes. */
export function meterGround(policy: Pick<Policy, 'env' | 'budget'>, env: Env): Required<Pick<Step, 'concerns' | 'along'>> {
  const places = policy.budget === undefined ? [] : modelHosts(policy, env)
  const isModel = ({ host, port }: Target): boolean => places.some((place) => place.host === host && place.port === port)
  return {
    along: places.length === 0 ? 'only' : 'too',
    concerns: (target) => (isModel(target) ? 'its usage is metered for the budget' : undefined),
  }
}
