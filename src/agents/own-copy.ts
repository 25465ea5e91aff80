// anchorhold's own copies of an agent: $XDG_DATA_HOME/anchorhold/agents/NAME/VERSION, installed with the user's npm.
// A copy is complete or absent: npm works in a folder beside it, which is renamed into place. One for another platform than this machine's,
// for an image, lies in a folder named after it: agents/NAME/linux-arm64/VERSION.
import { mkdir, mkdtemp, readdir, realpath, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { dataDir, isWithin } from '../host/paths.ts'
import { capture } from '../host/process.ts'
import { errorCode, executableAt, orAbsent, packageAt } from './files.ts'
import type { Distribution } from '../model/agent.ts'
import { platformName, type Installation, type Platform } from './installation.ts'
import { ownPlatform, platformPackage } from './platform.ts'
import { compareVersions } from './version.ts'

interface Place {
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  readonly project?: string
}

/** Complete copies, newest version first. */
export async function ownCopies(distribution: Distribution, place: Place): Promise<readonly Installation[]> {
  const root = copiesFolder(distribution, place)
  const names = (await orAbsent(readdir(root))) ?? []
  const versions = names.filter((name) => /^\d+\.\d+\.\d+/.test(name) && !name.includes('.partial-')).sort((a, b) => compareVersions(b, a))
  const found: Installation[] = []
  for (const version of versions) {
    const copy = await copyAt(path.join(root, version), distribution)
    if (copy !== undefined) found.push(copy)
  }
  return found
}

export interface InstallOptions extends Place {
  /** Default: the pinned one. */
  readonly version?: string
  /** Default: this machine. */
  readonly platform?: Platform
  /** Called before npm starts; not where a copy is there already. */
  readonly onStart?: () => void
}

/**
 * Installs a copy with npm as the caller has it set up (registry, proxy, certificates); package scripts are not run.
 * A copy that is there already is returned as it is.
 * @throws Failure 'agent/bad-version', 'agent/npm-missing', 'agent/install-failed'
 */
export async function installCopy(distribution: Distribution, title: string, options: InstallOptions): Promise<Installation> {
  const version = options.version ?? distribution.pinned
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) {
    throw new Failure('agent/bad-version', { version, title, name: distribution.program, example: distribution.pinned })
  }
  const own = ownPlatform()
  const foreign =
    options.platform !== undefined && (own === undefined || platformName(options.platform) !== platformName(own))
      ? options.platform
      : undefined
  const copies = copiesFolder(distribution, options)
  const root = foreign === undefined ? copies : path.join(copies, platformName(foreign))
  const target = path.join(root, version)
  const present = await copyAt(target, distribution, foreign)
  if (present !== undefined) return present
  const npm = await findNpm(options, title)
  options.onStart?.()
  await mkdir(root, { recursive: true, mode: 0o700 })
  const partial = await mkdtemp(`${target}.partial-`)
  try {
    await runNpm(npm, { folder: partial, version, distribution, env: options.hostEnv, foreign })
    if ((await copyAt(partial, distribution, foreign)) === undefined) {
      const name = foreign === undefined ? `${process.platform}-${process.arch}` : platformName(foreign)
      throw failed(distribution, version, `the package has no program for ${name}`)
    }
    await moveIntoPlace(partial, target)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  const copy = await copyAt(target, distribution, foreign)
  if (copy === undefined) throw failed(distribution, version, `${target} is not complete`)
  return copy
}

interface Install {
  readonly folder: string
  readonly version: string
  readonly distribution: Distribution
  readonly env: Place['hostEnv']
  readonly foreign: Platform | undefined
}

async function runNpm(npm: string, { folder, version, distribution, env, foreign }: Install): Promise<void> {
  const flags = [
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--include=optional',
    '--no-save',
    '--no-update-notifier',
    '--loglevel=error',
    ...(foreign === undefined ? [] : ['--os=linux', `--cpu=${foreign.arch}`, `--libc=${foreign.libc}`]),
  ]
  const installed = await capture([npm, 'install', '--prefix', folder, ...flags, `${distribution.package}@${version}`], {
    cwd: folder, // never the project: its .npmrc would be obeyed
    env: defined(env),
    timeoutMilliseconds: 600_000,
  })
  if (installed.timedOut) throw failed(distribution, version, 'npm did not end within 10 minutes')
  if (installed.code !== 0) throw failed(distribution, version, reasonIn(installed.stderr) ?? `npm ended with code ${installed.code}`)
}

/** Another process may have put the same version there meanwhile: both are complete, the first one stays. */
async function moveIntoPlace(partial: string, target: string): Promise<void> {
  try {
    await rename(partial, target)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error))) throw error
  }
}

async function copyAt(folder: string, distribution: Distribution, foreign?: Platform): Promise<Installation | undefined> {
  const real = await orAbsent(realpath(path.join(folder, 'node_modules', distribution.package)))
  const stated = real === undefined ? undefined : await packageAt(real)
  if (real === undefined || stated?.name !== distribution.package) return undefined
  const platform = await platformPackage(real, stated.version, distribution, foreign)
  if (platform === undefined) return undefined
  const mount = { kind: 'bind', from: platform.folder, to: platform.folder, mode: 'ro' } as const
  return { how: "anchorhold's copy", path: platform.program, version: stated.version, argv: [platform.program], mounts: [mount] }
}

function copiesFolder(distribution: Distribution, { hostEnv, hostHome }: Place): string {
  return path.join(dataDir(hostEnv, hostHome), 'agents', distribution.program)
}

async function findNpm({ hostEnv, project }: Place, title: string): Promise<string> {
  for (const folder of (hostEnv['PATH'] ?? '').split(':').filter((entry) => path.isAbsolute(entry))) {
    const file = path.join(folder, 'npm')
    const real = await executableAt(file)
    if (real !== undefined && (project === undefined || !(isWithin(file, project) || isWithin(real, project)))) return file
  }
  throw new Failure('agent/npm-missing', { title })
}

function failed(distribution: Distribution, version: string, reason: string): Failure {
  return new Failure('agent/install-failed', { package: distribution.package, version, reason })
}

/** npm's own first sentence about what went wrong. */
function reasonIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => /^npm (?:error|ERR!)/.test(line))
  return lines
    .map((line) => line.replace(/^npm (?:error|ERR!)\s*/, '').trim())
    .find((line) => line !== '' && !/^(?:code|errno|syscall|path|type) /.test(line))
}

function defined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(entries.filter(([name]) => !['NODE_OPTIONS', 'npm_config_prefix', 'npm_config_global'].includes(name)))
}
