// Registries: pnpm. The registry in effect, and the scopes' from its list (older versions list what npm lists).
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { ask, askOrFail, hostOfUrl, uniqueHosts, type Manager } from './ask.ts'
import { hostsOfNpmConfig } from './npm.ts'

const manager: Manager = { preset: 'pnpm', program: 'pnpm', variables: /^(?:p?npm_config_\w+|PNPM_HOME|npm_token)$/i }

export async function derive(context: RegistryContext): Promise<Derived> {
  const [registry, list] = await Promise.all([
    askOrFail(manager, ['config', 'get', 'registry'], context),
    ask(manager, ['config', 'list', '--json'], context),
  ])
  const scopes =
    list.code === 0 && list.stdout.trim().startsWith('{') ? hostsOfNpmConfig(list.stdout, manager, ['config', 'list', '--json']) : []
  return { hosts: uniqueHosts([hostOfUrl(registry, 'pnpm config get registry'), ...scopes]), notes: [] }
}
