// Registries: npm. `npm config ls -l --json` holds the registry and those of scopes, from the user's and the machine's npmrc.
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { askOrFail, hostOfUrl, jsonObject, uniqueHosts, type Manager } from './ask.ts'

export const npmManager: Manager = { preset: 'npm', program: 'npm', variables: /^(?:npm_config_\w+|npm_token|node_auth_token)$/i }
const args = ['config', 'ls', '-l', '--json']

export async function derive(context: RegistryContext): Promise<Derived> {
  const answer = await askOrFail(npmManager, args, context)
  return { hosts: hostsOfNpmConfig(answer, npmManager, args), notes: [] }
}

/** Of npm's and pnpm's JSON: `registry` and every `@scope:registry`. */
export function hostsOfNpmConfig(json: string, manager: Manager, command: readonly string[]): Derived['hosts'] {
  const rows = Object.entries(jsonObject(json, manager, command)).filter(
    ([key, value]) => /^(?:@[^:]+:)?registry$/.test(key) && typeof value === 'string',
  )
  return uniqueHosts(rows.map(([key, value]) => hostOfUrl(String(value), `${manager.program} config get ${key}`)))
}
