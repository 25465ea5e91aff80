// Registries: an answer is remembered while nothing that it rests on changed: variables, PATH, the manager's files; at most an hour.
import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Derived, RegistryContext } from '../policy/presets.ts'

/** Where managers keep the set-up of users and machines; `~/` is the user's home. Files only one installation has are why an hour is the limit. */
const setupFiles: Readonly<Record<string, readonly string[]>> = {
  npm: ['~/.npmrc', '/etc/npmrc', '/usr/etc/npmrc', '/usr/local/etc/npmrc'],
  pnpm: ['~/.npmrc', '~/.config/pnpm/rc', '~/.config/pnpm/config.yaml', '/etc/npmrc'],
  yarn: ['~/.yarnrc', '~/.yarnrc.yml', '~/.npmrc'],
  pip: ['~/.config/pip/pip.conf', '~/.pip/pip.conf', '/etc/pip.conf', '/etc/xdg/pip/pip.conf'],
  uv: ['~/.config/uv/uv.toml', '/etc/uv/uv.toml'],
  cargo: ['~/.cargo/config.toml', '~/.cargo/config'],
  go: ['~/.config/go/env', '/usr/local/go/go.env', '/usr/lib/go/go.env'],
  apt: ['/etc/apt/sources.list', '/etc/apt/sources.list.d', '/etc/apt/apt.conf.d'],
  maven: ['~/.m2/settings.xml', '/etc/maven/settings.xml', '/usr/share/maven/conf/settings.xml'],
}
const variables =
  /^(?:PATH|HOME|XDG_\w+|[A-Z]*_proxy|p?npm_\w+|yarn_\w+|pip_\w+|uv_\w+|cargo_\w+|go[a-z0-9]+|maven_\w+|m2_home|virtual_env|apt_config)$/i
const longest = 3_600_000

interface Remembered {
  readonly key: string
  readonly at: number
  readonly derived: Derived
}

/** The remembered answer, or a fresh one. An answer with notes (a network that failed) is not remembered. */
export async function remembered(name: string, context: RegistryContext, derive: () => Promise<Derived>): Promise<Derived> {
  const file = path.join(context.stateDir, 'registries', `${name}.json`)
  const key = await keyOf(name, context)
  const kept = await read(file)
  const age = kept === undefined ? Number.NaN : Date.now() - kept.at
  if (kept?.key === key && age >= 0 && age < longest) return kept.derived
  const derived = await derive()
  if (derived.notes.length === 0) await write(file, { key, at: Date.now(), derived })
  return derived
}

async function keyOf(name: string, { hostEnv, hostHome, project }: RegistryContext): Promise<string> {
  const own = Object.entries(hostEnv).filter(([variable]) => variables.test(variable))
  const files = await Promise.all(
    (setupFiles[name] ?? []).map((file) => fingerprint(file.startsWith('~/') ? path.join(hostHome, file.slice(2)) : file)),
  )
  return createHash('sha256')
    .update(JSON.stringify([name, own.sort(), files, project]))
    .digest('hex')
}

async function fingerprint(file: string): Promise<string> {
  const facts = await stat(file).catch((error: unknown) => (error instanceof Error ? undefined : Promise.reject(error)))
  return facts === undefined ? `${file} absent` : `${file} ${facts.ino} ${facts.size} ${facts.mtimeMs} ${facts.ctimeMs}`
}

async function read(file: string): Promise<Remembered | undefined> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    const facts = await handle.stat()
    if (facts.uid !== process.getuid?.() || (facts.mode & 0o022) !== 0) return undefined
    const value: unknown = JSON.parse(await handle.readFile('utf8'))
    return isRemembered(value) ? value : undefined
  } catch (error) {
    if (error instanceof Error) return undefined // none yet, or unreadable: ask again
    throw error
  }
}

async function write(file: string, value: Remembered): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(fresh, JSON.stringify(value), { mode: 0o600, flag: 'wx' })
  await rename(fresh, file)
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null || !('key' in value) || !('at' in value) || !('derived' in value)) return false
  const derived = value.derived as Partial<Derived> | null
  return typeof value.key === 'string' && typeof value.at === 'number' && Array.isArray(derived?.hosts) && Array.isArray(derived.notes)
}
