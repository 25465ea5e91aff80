// Registries: uv. Its help names the built-in index, its settings and variables others, a lock of one package where the files are.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { askOrFail, environment, emptyFolder, findProgram, hostOfUrl, uniqueHosts, type Manager } from './ask.ts'
import { capture } from '../host/process.ts'

const manager: Manager = { preset: 'uv', program: 'uv', variables: /^UV_\w+$/ }

export async function derive(context: RegistryContext): Promise<Derived> {
  const [help, settings, locked] = await Promise.all([
    askOrFail(manager, ['help', 'pip', 'install'], context),
    userSettings(context),
    lock(context),
  ])
  const builtIn = /--default-index[\s\S]*?default[^<[]*[<[](?:default: )?(https?:\/\/[^>\]\s]+)/.exec(help)?.[1]
  const variables = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'UV_INDEX', 'UV_EXTRA_INDEX_URL', 'UV_FIND_LINKS']
  const set = variables.flatMap((name) => (context.hostEnv[name] ?? '').match(/https?:\/\/\S+/g)?.map((url) => hostOfUrl(url, name)) ?? [])
  const written = settings.map((url) => hostOfUrl(url, 'uv.toml'))
  const files = locked.map((url) => hostOfUrl(url, 'links of the index'))
  const notes = files.length > 0 ? [] : ['the index could not be asked where its files are; name that host if it is another one']
  return {
    hosts: uniqueHosts([builtIn === undefined ? undefined : hostOfUrl(builtIn, 'uv help pip install'), ...set, ...written, ...files]),
    notes,
  }
}

/** URLs of the user's and the machine's uv.toml (a project's is never read). */
async function userSettings({ hostEnv, hostHome }: RegistryContext): Promise<readonly string[]> {
  const files = [path.join(hostEnv['XDG_CONFIG_HOME'] ?? path.join(hostHome, '.config'), 'uv', 'uv.toml'), '/etc/uv/uv.toml']
  const texts = await Promise.all(
    files.map((file) => readFile(file, 'utf8').catch((error: unknown) => (error instanceof Error ? '' : Promise.reject(error)))),
  )
  return texts.flatMap((text) => text.replace(/^\s*#.*$/gm, '').match(/https?:\/\/[^\s'"\]]+/g) ?? [])
}

/** A lock of one small package names the files' URLs; nothing is installed. Empty without a network. */
async function lock(context: RegistryContext): Promise<readonly string[]> {
  const file = await findProgram(manager, context)
  const args = ['pip', 'compile', '--format', 'pylock.toml', '--no-deps', '--quiet', '-'] as const
  const answer = await capture([file, ...args], {
    cwd: await emptyFolder(context),
    env: environment(manager, context, { UV_HTTP_TIMEOUT: '5' }),
    input: 'pip\n',
    timeoutMilliseconds: 20_000,
  })
  return answer.code === 0 ? (answer.stdout.match(/https?:\/\/[^\s'"]+/g) ?? []) : []
}
