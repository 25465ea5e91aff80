// Registries: yarn. Version 1 calls it `registry`, later ones `npmRegistryServer` and `npmScopes`.
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { ask, askOrFail, hostOfUrl, uniqueHosts, type Manager } from './ask.ts'

const manager: Manager = { preset: 'yarn', program: 'yarn', variables: /^(?:yarn_\w+|npm_config_\w+)$/i }
/** A shim that would fetch another version of yarn must not do so for a question. */
const quiet = { COREPACK_ENABLE_NETWORK: '0', COREPACK_ENABLE_PROJECT_SPEC: '0', YARN_IGNORE_PATH: '1' }

export async function derive(context: RegistryContext): Promise<Derived> {
  const version = await askOrFail(manager, ['--version'], context, quiet)
  if (version.startsWith('0.') || version.startsWith('1.')) {
    const registry = await askOrFail(manager, ['config', 'get', 'registry'], context, quiet)
    return { hosts: uniqueHosts([hostOfUrl(registry, 'yarn config get registry')]), notes: [] }
  }
  const [server, scopes] = await Promise.all([
    askOrFail(manager, ['config', 'get', 'npmRegistryServer'], context, quiet),
    ask(manager, ['config', 'get', 'npmScopes', '--json'], context, quiet),
  ])
  const urls = scopes.code === 0 ? [...scopes.stdout.matchAll(/"npmRegistryServer":\s*"([^"]+)"/g)].map(([, url]) => url ?? '') : []
  return {
    hosts: uniqueHosts([
      hostOfUrl(server, 'yarn config get npmRegistryServer'),
      ...urls.map((url) => hostOfUrl(url, 'yarn config get npmScopes')),
    ]),
    notes: [],
  }
}
