// Registries: npm. `npm config ls -l --json` holds the registry and those of scopes, from the user's and the machine's npmrc.
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { ask, askOrFail, emptyFolder, hostOfUrl, jsonObject, uniqueHosts, withoutLogin, type Manager } from './ask.ts'

export const npmManager: Manager = { preset: 'npm', program: 'npm', variables: /^(?:npm_config_\w+|npm_token|node_auth_token)$/i }
const args = ['config', 'ls', '-l', '--json']

export async function derive(context: RegistryContext): Promise<Derived> {
  const [answer, builtIn] = await Promise.all([askOrFail(npmManager, args, context), builtInRegistry(context)])
  const config = { ...jsonObject(answer, npmManager, args), ...(await masked(answer, context)) }
  return { hosts: hostsOfNpmConfig(JSON.stringify(config), npmManager, args), notes: [], env: npmEnvironment(config, builtIn) }
}

/** A registry with a login in its address is left out of npm's JSON, and shown with a masked one in its plain list. */
async function masked(json: string, context: RegistryContext): Promise<Readonly<Record<string, string>>> {
  if (/"registry"\s*:/.test(json)) return {}
  const list = await askOrFail(npmManager, ['config', 'ls', '-l'], context)
  return Object.fromEntries([...list.matchAll(/^((?:@[^:\s]+:)?registry) = "([^"]+)"/gm)].map(([, key, url]) => [key, url]))
}

/** What npm contacts where nobody set anything up. */
async function builtInRegistry(context: RegistryContext): Promise<string> {
  // Two files that are not there: npm refuses the same one twice.
  const folder = await emptyFolder(context)
  const nothing = ['--userconfig', `${folder}/no-user`, '--globalconfig', `${folder}/no-machine`]
  return (await ask(npmManager, ['config', 'get', 'registry', ...nothing], context, { npm_config_registry: '' })).stdout.trim()
}

/**
 * The cell has a home and a machine set-up of its own: npm inside is told of registries by variables. The built-in one is left alone, since a
 * variable outweighs a project's `.npmrc`.
 */
function npmEnvironment(config: Readonly<Record<string, unknown>>, builtIn: string): Record<string, string> {
  const entries = Object.entries(config).flatMap(([key, value]) => {
    const url = /^(?:@[^:]+:)?registry$/.test(key) && typeof value === 'string' && value !== builtIn ? withoutLogin(value) : undefined
    return url === undefined ? [] : [[`npm_config_${key}`, url] as const]
  })
  return Object.fromEntries(entries)
}

/** Of npm's and pnpm's JSON: `registry` and every `@scope:registry`. */
export function hostsOfNpmConfig(json: string, manager: Manager, command: readonly string[]): Derived['hosts'] {
  const rows = Object.entries(jsonObject(json, manager, command)).filter(
    ([key, value]) => /^(?:@[^:]+:)?registry$/.test(key) && typeof value === 'string',
  )
  return uniqueHosts(rows.map(([key, value]) => hostOfUrl(String(value), `${manager.program} config get ${key}`)))
}
