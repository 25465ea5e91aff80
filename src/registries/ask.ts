// Registries: how a package manager is asked about its set-up: from an empty folder of our own, never in or from the project.
import { constants } from 'node:fs'
import { access, mkdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { capture, type Captured } from '../host/process.ts'
import type { FoundHost, RegistryContext } from '../policy/presets.ts'
import { isWithin } from '../host/paths.ts'

/** Nothing listens on port 1: with this as its proxy a manager names the address that it would contact, and contacts nobody. */
export const deadProxy = 'http://127.0.0.1:1'

export interface Manager {
  readonly preset: string
  readonly program: string
  /** Names of the caller's variables that are the user's own set-up of this manager. */
  readonly variables: RegExp
}

/** What everybody's set-up may need: proxies, certificates, where the user's folders are. */
const common =
  /^(?:HOME|USER|LOGNAME|XDG_\w+|(?:https?|all|no)_proxy|SSL_CERT_(?:FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|JAVA_HOME|RUSTUP_HOME|PYENV_ROOT|NVM_DIR|VOLTA_HOME)$/i

/** The program's path: the caller's PATH, without relative entries and without anything in the project. Failure `policy/manager-missing`. */
export async function findProgram({ preset, program }: Manager, context: RegistryContext): Promise<string> {
  for (const folder of safePath(context)) {
    const file = path.join(folder, program)
    const found = await access(file, constants.X_OK).then(
      () => realpath(file),
      () => undefined,
    )
    if (found !== undefined && !isWithin(found, context.project)) return file
  }
  throw new Failure('policy/manager-missing', { name: preset, program })
}

/** Runs the manager. Never rejects for what the program does; `extra` outweighs the caller's variables. */
export async function ask(
  manager: Manager,
  args: readonly string[],
  context: RegistryContext,
  extra: Readonly<Record<string, string>> = {},
): Promise<Captured> {
  const file = await findProgram(manager, context)
  return capture([file, ...args], {
    cwd: await emptyFolder(context),
    env: environment(manager, context, extra),
    timeoutMilliseconds: 20_000,
  })
}

/** The same, where no answer is no preset: Failure `policy/manager-unclear`. */
export async function askOrFail(
  manager: Manager,
  args: readonly string[],
  context: RegistryContext,
  extra: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await ask(manager, args, context, extra)
  if (answer.code === 0) return answer.stdout
  throw unclear(manager, args, answer.timedOut ? 'it took longer than 20 seconds' : (answer.stderr.trim().split('\n').at(-1) ?? ''))
}

export function unclear({ preset, program }: Manager, args: readonly string[], reason: string): Failure {
  return new Failure('policy/manager-unclear', {
    name: preset,
    program,
    reason: reason.slice(0, 200),
    command: [program, ...args].join(' '),
  })
}

/** An answer that should be a JSON object; Failure `policy/manager-unclear` where it is not. */
export function jsonObject(text: string, manager: Manager, args: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw unclear(manager, args, 'its answer is not a JSON object')
}

/** Host and port of a URL with one of the usual schemes (`sparse+https`, `registry+https` and `git+https` too); undefined for files and nonsense. */
export function hostOfUrl(text: string, from: string): FoundHost | undefined {
  const url = URL.parse(text.trim().replace(/^(?:sparse|registry|git)\+/, ''))
  if (url === null || url.hostname === '') return undefined
  const standard = { 'https:': 443, 'http:': 80 }[url.protocol]
  const port = url.port === '' ? standard : Number(url.port)
  return port === undefined ? undefined : { host: url.hostname, port, from }
}

/** A URL as it may be shown inside: without a user and password, which are the host's. Undefined for what is no web address. */
export function withoutLogin(text: string): string | undefined {
  const url = URL.parse(text.trim())
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  url.username = url.password = ''
  return url.href
}

/** Each host and port once, the first finding kept. */
export function uniqueHosts(found: readonly (FoundHost | undefined)[]): readonly FoundHost[] {
  const known = found.filter((host) => host !== undefined).toReversed()
  return [...new Map(known.map((host) => [`${host.host}:${host.port}`, host])).values()].reverse()
}

/** The folder from which managers are asked: the user's own, empty, so that no set-up is found upwards that is not the user's. */
export async function emptyFolder({ stateDir }: RegistryContext): Promise<string> {
  const folder = path.join(stateDir, 'registries', 'empty')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** The caller's variables that belong to the manager's set-up, and nothing else. */
export function environment(
  { variables }: Manager,
  context: RegistryContext,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  // Under `npm run` the variables npm_config_* hold the project's own .npmrc.
  const foreign = context.hostEnv['npm_lifecycle_event'] === undefined ? /^$/ : /^npm_config_/i
  const own = Object.entries(context.hostEnv).filter(([name]) => (common.test(name) || variables.test(name)) && !foreign.test(name))
  return {
    LANG: 'C.UTF-8',
    HOME: context.hostHome,
    ...(Object.fromEntries(own) as Record<string, string>),
    PATH: safePath(context).join(':'),
    ...extra,
  }
}

function safePath({ hostEnv, project }: RegistryContext): readonly string[] {
  const folders = (hostEnv['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':')
  return folders.filter((folder) => path.isAbsolute(folder) && !isWithin(folder, project))
}
