// Policy: paths in policies: globs for hide and protect, and further folders of the host (mounts). Strict, and one spelling each.
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { FileMount, MountMode, Origin, PathRule } from '../model/policy.ts'
import { canonical } from './real-place.ts'
import { whereOf } from './host-rule.ts'
import { show } from './show.ts'
import { isWithin } from '../host/paths.ts'

export interface HostFolders {
  readonly home: string
  /** Relative mounts are meant from here: the policy file's folder, or the caller's current one. */
  readonly base: string
  /** anchorhold's own folders (policy, state, data): no cell sees them. */
  readonly own: readonly string[]
}

/**
 * A gitignore-style glob in one spelling: `deploy/`, `./deploy`, `a//b`, `a/./b` become `deploy`, `/deploy`, `a/b`. Throws Failure
 * `policy/bad-path` for what could be read in two ways: `..`, `~`, `$NAME`, `!`, an unclosed bracket, controls, the empty one.
 */
export function parseGlob(text: string, origin: Origin): PathRule {
  const refuse = (reason: string): never => {
    throw new Failure('policy/bad-path', { path: show(text), reason, where: whereOf(origin) })
  }
  refuseOddText(text, refuse)
  if (text.startsWith('!')) return refuse('a pattern starting with ! would lift a rule; there are no exceptions')
  if (text.endsWith('\\')) return refuse('it ends with a backslash')
  const anchored = text.startsWith('./') || text.startsWith('/')
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) return refuse('it has a .. segment; patterns are for paths in the project')
  if (parts.length === 0 || parts.every((part) => /^\*+$/.test(part))) return refuse('it would match everything')
  if (parts.some((part) => /\[(?!\]?[^\]]*\])/.test(part.replace(/\\./g, '')))) return refuse('it has a [ without its ]')
  return { glob: `${anchored ? '/' : ''}${parts.join('/')}`, origin }
}

/**
 * One mount: an existing folder or file, at its real path. What is never mounted in either mode, mounts.ts refuses, for all of a policy. Refuses (Failure `policy/bad-path`, `policy/mount-refused`) whole systems, homes and
 * what lies above them, anchorhold's own folders, kernel and socket folders, and writing to system folders or a home's dot folders.
 */
export async function parseMount(text: string, mode: MountMode, origin: Origin, folders: HostFolders): Promise<FileMount> {
  const refuse = (reason: string): never => {
    throw new Failure('policy/bad-path', { path: show(text), reason, where: whereOf(origin) })
  }
  const home = text === '~' || text.startsWith('~/')
  refuseOddText(home ? `.${text.slice(1)}` : text, refuse)
  const absolute = home ? path.join(folders.home, text.slice(1)) : path.resolve(folders.base, text)
  const real = await canonical(
    absolute,
    (code) =>
      new Failure('policy/bad-path', {
        path: show(text),
        reason: code === 'ENOENT' ? 'it does not exist' : `it can't be reached (${code})`,
        where: whereOf(origin),
      }),
    refuse,
  )
  const facts = await stat(real)
  const reason =
    facts.isDirectory() || facts.isFile() ? await refusal(real, mode, folders) : 'it is neither a file nor a folder (a socket is a way out)'
  if (reason !== undefined) throw new Failure('policy/mount-refused', { path: show(real, 300), reason, where: whereOf(origin) })
  return { path: real, mode, origin }
}

const kernelFolders = ['/proc', '/sys', '/dev', '/run', '/var/run']
const systemFolders = ['/etc', '/usr', '/bin', '/sbin', '/lib', '/lib64', '/boot', '/var/lib', '/var/spool', '/root']

async function refusal(real: string, mode: MountMode, folders: HostFolders): Promise<string | undefined> {
  const home = await realpath(folders.home).catch((error: unknown) => (error instanceof Error ? folders.home : Promise.reject(error)))
  if (isWithin(home, real)) return 'it holds your whole home: name the folder that is needed'
  for (const folder of kernelFolders) {
    if (isWithin(real, folder) || isWithin(folder, real)) return `${folder} has devices and sockets, which are ways out`
  }
  for (const folder of folders.own) {
    if (isWithin(real, folder) || isWithin(folder, real)) return 'anchorhold keeps its own policy, sessions or homes there'
  }
  if (mode === 'ro') return undefined
  const system = systemFolders.find((folder) => (isWithin(real, folder) && !isWithin(home, folder)) || isWithin(folder, real))
  if (system !== undefined) return `writing to ${system} would change the machine itself`
  const first = path.relative(home, real).split(path.sep)[0] ?? ''
  const dotted = isWithin(real, home) && first.startsWith('.') && first !== '.cache'
  return dotted ? `programs outside the cell run or trust what lies in ~/${show(first)}; mount it :ro` : undefined
}

function refuseOddText(text: string, refuse: (reason: string) => never): void {
  if (text === '') refuse('it is empty')
  if (/[\0-\x1f\x7f]/.test(text)) refuse('it has a control character')
  if (text.startsWith('~')) refuse('~NAME and ~ are not expanded here; write a path from the project, or for a mount ~/…')
  if (/^\$|\$\{|\$[A-Z_]+(?:\/|$)/.test(text)) refuse('variables are not expanded; write the path itself')
}
