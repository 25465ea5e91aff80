// Policy: where models are asked, as far as a policy tells: the hosts whose TLS a budget is a reason to end. Pure.
import type { CanonicalHost, Policy } from '../model/policy.ts'
import { tryCanonicalHost } from './host-name.ts'

type Env = Readonly<Record<string, string | undefined>>

const known: readonly string[] = ['https://api.anthropic.com', 'https://api.openai.com']
const variables: readonly string[] = ['ANTHROPIC_BASE_URL', 'OPENAI_BASE_URL', 'OPENAI_API_BASE']

export interface ModelHost {
  readonly host: CanonicalHost
  readonly port: number
}

/** The usual ones, and those that the policy's own variables name. `env`: the caller's, for a variable that is only passed on. */
export function modelHosts({ env: rules }: Pick<Policy, 'env'>, env: Env): readonly ModelHost[] {
  const named = rules
    .filter(({ name }) => variables.includes(name))
    .flatMap(({ name, value = env[name] }) => (value === undefined ? [] : placeOf(value)))
  return [...known.flatMap(placeOf), ...named]
}

function placeOf(text: string): readonly ModelHost[] {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return []
  const name = tryCanonicalHost(url.hostname)
  return name.ok ? [{ host: name.host, port: url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port) }] : []
}
