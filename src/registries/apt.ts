// Registries: apt. `apt-get indextargets` lists the sources in effect, whichever file they stand in.
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { askOrFail, hostOfUrl, uniqueHosts, unclear, type Manager } from './ask.ts'

const manager: Manager = { preset: 'apt', program: 'apt-get', variables: /^APT_CONFIG$/ }
const args = ['indextargets', '--format', '$(REPO_URI)'] as const

export async function derive(context: RegistryContext): Promise<Derived> {
  const answer = await askOrFail(manager, args, context)
  const hosts = uniqueHosts(answer.split('\n').map((line) => hostOfUrl(line, 'apt-get indextargets')))
  if (hosts.length === 0) throw unclear(manager, args, 'it has no source on a network')
  return { hosts, notes: [] }
}
