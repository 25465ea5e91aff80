// Registries: go. GOPROXY is a list, GOSUMDB a name that is a host, or a name and a URL (go help environment, go help goproxy).
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { askOrFail, hostOfUrl, jsonObject, uniqueHosts, type Manager } from './ask.ts'

const manager: Manager = { preset: 'go', program: 'go', variables: /^GO[A-Z]+$/ }
const args = ['env', '-json', 'GOPROXY', 'GOSUMDB'] as const

export async function derive(context: RegistryContext): Promise<Derived> {
  const answer = await askOrFail(manager, args, context, { GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' })
  const values = jsonObject(answer, manager, args)
  const proxies = textOf(values['GOPROXY'])
    .split(/[,|]/)
    .map((part) => part.trim())
  const [name = '', url] = textOf(values['GOSUMDB']).split(/\s+/)
  const sums = name === '' || name === 'off' ? undefined : hostOfUrl(url ?? `https://${name.split('+')[0]}`, 'go env GOSUMDB')
  const notes = proxies.includes('direct')
    ? ['modules that the proxy does not have come from their own hosts, which are not allowed by this preset']
    : []
  // In the cell `go` has its own home, so what `go env -w` wrote is not there. Names of places without a login go in as they are.
  const plain = proxies.every((proxy) => !proxy.includes('@'))
  const env = plain ? { GOPROXY: textOf(values['GOPROXY']), GOSUMDB: textOf(values['GOSUMDB']) } : {}
  return {
    hosts: uniqueHosts([...proxies.map((proxy) => hostOfUrl(proxy, 'go env GOPROXY')), sums]),
    notes,
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
