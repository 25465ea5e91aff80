// Registries: go. GOPROXY is a list, GOSUMDB a name that is a host, or a name and a URL (go help environment, go help goproxy).
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { askOrFail, hostOfUrl, uniqueHosts, type Manager } from './ask.ts'

const manager: Manager = { preset: 'go', program: 'go', variables: /^GO[A-Z]+$/ }

export async function derive(context: RegistryContext): Promise<Derived> {
  const answer = await askOrFail(manager, ['env', '-json', 'GOPROXY', 'GOSUMDB'], context, { GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' })
  const values = JSON.parse(answer) as { readonly GOPROXY?: string; readonly GOSUMDB?: string }
  const proxies = (values.GOPROXY ?? '').split(/[,|]/).map((part) => part.trim())
  const [name = '', url] = (values.GOSUMDB ?? '').split(/\s+/)
  const sums = name === '' || name === 'off' ? undefined : hostOfUrl(url ?? `https://${name.split('+')[0]}`, 'go env GOSUMDB')
  const notes = proxies.includes('direct') ? ['modules that the proxy does not have come from their own hosts, which are not allowed by this preset'] : []
  return { hosts: uniqueHosts([...proxies.map((proxy) => hostOfUrl(proxy, 'go env GOPROXY')), sums]), notes }
}
