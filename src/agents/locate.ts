// Finds an agent's installation on the host: PATH, the version managers' and installers' folders, anchorhold's own copy.
// Reads package files and links only; runs nothing unless nothing else states the version.
import { glob, realpath } from 'node:fs/promises'
import path from 'node:path'
import { capture, cleanEnv } from '../host/process.ts'
import { executableAt, kindOfProgram, orAbsent, packageAt } from './files.ts'
import type { Distribution } from '../model/agent.ts'
import type { Installation } from './installation.ts'
import { ownCopies } from './own-copy.ts'
import { platformPackage } from './platform.ts'
import { compareVersions, versionIn } from './version.ts'
import { isWithin } from '../host/paths.ts'

export interface Search {
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  /** Nothing below it is ever taken for an installation: the agent can write there (attacks.md PER-31). */
  readonly project?: string
}

/** Every installation found, the one to use first: the first of PATH, then the installers' folders, then own copies. */
export async function locateAll(distribution: Distribution, search: Search): Promise<readonly Installation[]> {
  const found = new Map<string, Installation>()
  for (const candidate of await candidates(distribution, search)) {
    const installation = await recognize(candidate, distribution, search)
    if (installation !== undefined && !found.has(installation.path)) found.set(installation.path, installation)
  }
  for (const copy of await ownCopies(distribution, search)) if (!found.has(copy.path)) found.set(copy.path, copy)
  return [...found.values()]
}

/** The places that were looked at, for the message of a search without result. */
export function searchedPlaces(distribution: Distribution): string {
  return ['PATH', ...distribution.homePrograms.map((place) => `~/${place}`), "anchorhold's own copies"].join(', ')
}

async function candidates(distribution: Distribution, { hostEnv, hostHome }: Search): Promise<readonly string[]> {
  const onPath = (hostEnv['PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder))
  const inHome: string[] = []
  for (const place of distribution.homePrograms) {
    const matches: string[] = []
    if (place.includes('*')) for await (const match of glob(place, { cwd: hostHome })) matches.push(path.join(hostHome, match))
    else matches.push(path.join(hostHome, place))
    inHome.push(...matches.sort((a, b) => compareVersions(versionIn(b) ?? '0.0.0', versionIn(a) ?? '0.0.0')))
  }
  return [...onPath.map((folder) => path.join(folder, distribution.program)), ...inHome]
}

async function recognize(candidate: string, distribution: Distribution, search: Search): Promise<Installation | undefined> {
  const program = await executableAt(candidate)
  if (program === undefined || (await inProject(candidate, program, search))) return undefined
  if (path.basename(program) === 'volta-shim') return fromVolta(distribution, search)
  const folder = packageFolder(program, distribution)
  if (folder !== undefined) return fromPackage(folder, distribution, search)
  const kind = await kindOfProgram(program)
  if (kind.kind === 'native') return fromNativeFile(program, distribution)
  const named = await packageNamedBy(kind.head, path.dirname(program), distribution)
  return named === undefined || (await inProject(named, named, search)) ? undefined : fromPackage(named, distribution, search)
}

async function inProject(candidate: string, real: string, { project }: Search): Promise<boolean> {
  if (project === undefined) return false
  const where = (await orAbsent(realpath(project))) ?? project
  return isWithin(real, where) || isWithin(candidate, project)
}

/** `…/node_modules/@anthropic-ai/claude-code` when the path lies in it or in its platform package. */
function packageFolder(program: string, distribution: Distribution): string | undefined {
  const marker = `/node_modules/${distribution.package}`
  const at = program.lastIndexOf(marker)
  if (at < 0) return undefined
  const rest = program.slice(at + marker.length)
  return /^(?:-[a-z0-9-]+)?(?:\/|$)/.test(rest) ? program.slice(0, at + marker.length) : undefined
}

/** A volta shim stands for a package in volta's own image folder. */
function fromVolta(distribution: Distribution, search: Search): Promise<Installation | undefined> {
  const root = search.hostEnv['VOLTA_HOME'] ?? path.join(search.hostHome, '.volta')
  return fromPackage(
    path.join(root, 'tools/image/packages', distribution.package, 'lib/node_modules', distribution.package),
    distribution,
    search,
  )
}

/** Launcher scripts (pnpm, the former local installer) name the package they start, absolute or from $basedir. */
async function packageNamedBy(script: string, folder: string, distribution: Distribution): Promise<string | undefined> {
  const escaped = distribution.package.replace(/[/.]/g, '\\$&')
  const direct = new RegExp(`["'\\s]((?:\\$basedir|\\$\\{basedir\\}|/)[^"'\\s]*?/node_modules/${escaped})(?=[/"'])`).exec(script)?.[1]
  if (direct !== undefined) return orAbsent(realpath(path.resolve(folder, direct.replace(/^\$(?:basedir|\{basedir\})/, '.'))))
  const launcher = new RegExp(`["'\\s](/[^"'\\s]*/node_modules/\\.bin/${distribution.program})["'\\s]`).exec(script)?.[1]
  const target = launcher === undefined ? undefined : await executableAt(launcher)
  return target === undefined ? undefined : packageFolder(target, distribution)
}

async function fromPackage(folder: string, distribution: Distribution, search: Search): Promise<Installation | undefined> {
  const real = await orAbsent(realpath(folder))
  const stated = real === undefined ? undefined : await packageAt(real)
  if (real === undefined || stated?.name !== distribution.package) return undefined
  const own = await executableAt(path.join(real, 'bin', `${distribution.program}.exe`))
  if (own !== undefined && (await kindOfProgram(own)).kind === 'native') {
    return { how: 'npm', path: own, version: stated.version, argv: [own], mounts: [readOnly(real)] }
  }
  const platform = await platformPackage(real, stated.version, distribution)
  if (platform !== undefined) {
    return { how: 'npm', path: platform.program, version: stated.version, argv: [platform.program], mounts: [readOnly(platform.folder)] }
  }
  return fromScript(real, stated.version, search)
}

/** Versions before the native program: `cli.js`, run by the Node that it was installed for. */
async function fromScript(folder: string, version: string, search: Search): Promise<Installation | undefined> {
  const script = await orAbsent(realpath(path.join(folder, 'cli.js')))
  if (script === undefined) return undefined
  const prefix = folder.slice(0, folder.lastIndexOf('/node_modules/'))
  const places = [
    path.join(path.dirname(prefix), 'bin'),
    ...(search.hostEnv['PATH'] ?? '').split(':').filter((entry) => path.isAbsolute(entry)),
  ]
  for (const place of places) {
    const node = await executableAt(path.join(place, 'node'))
    if (node === undefined || (await inProject(node, node, search)) || (await kindOfProgram(node)).kind !== 'native') continue
    const mounts = [readOnly(folder), ...(isWithin(node, '/usr') ? [] : [readOnly(node)])]
    return { how: 'npm', path: script, version, argv: [node, script], mounts }
  }
  return undefined
}

async function fromNativeFile(program: string, distribution: Distribution): Promise<Installation | undefined> {
  const version = versionIn(path.basename(program)) ?? (await askVersion(program))
  if (version === undefined) return undefined
  const how = program.includes(`/share/${distribution.program}/versions/`) ? 'native installer' : 'program in PATH'
  return { how, path: program, version, argv: [program], mounts: isWithin(program, '/usr') ? [] : [readOnly(program)] }
}

async function askVersion(program: string): Promise<string | undefined> {
  const answer = await capture([program, '--version'], { cwd: '/', env: { ...cleanEnv(), DISABLE_AUTOUPDATER: '1' } })
  return answer.code === 0 ? versionIn(answer.stdout) : undefined
}

function readOnly(from: string): { readonly kind: 'bind'; readonly from: string; readonly to: string; readonly mode: 'ro' } {
  return { kind: 'bind', from, to: from, mode: 'ro' }
}
