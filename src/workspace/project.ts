// First thing of a run: which folder the agent may see, and which may be mounted beside it. Refuses what is more than one project.
// Neighbours: run/ calls openProject before anything is opened; open.ts trusts the paths that passed here.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { credentialFolders, mountableCaches, systemReason } from './places.ts'
import { realpath, realpathBytes, stat } from '../host/at-once.ts'
import { isWithin } from '../host/paths.ts'

/**
 * The canonical path of the project folder.
 * @param given absolute, or relative to the current folder
 * @param hostHome the caller's home on the host, absolute
 * @param stateDirs anchorhold's own folders (state, data, configuration), absolute; they need not exist
 * @throws Failure `workspace/missing`, `workspace/not-a-project`
 */
export async function openProject(given: string, hostHome: string, stateDirs: readonly string[]): Promise<string> {
  const refuse = (reason: string): never => {
    throw new Failure('workspace/not-a-project', { path: given, reason })
  }
  if (given === '') refuse('an empty path names nothing')
  const folder = await canonical(given, (reason) => new Failure('workspace/missing', { path: given, reason }), refuse)
  const info = await stat(folder)
  if (!info.isDirectory()) refuse('it is not a folder')
  const home = await canonicalIfThere(hostHome)
  const reason = systemReason(folder) ?? homeReason(folder, home) ?? (await stateReason(folder, stateDirs))
  if (reason !== undefined) refuse(reason)
  const dot = dotFolder(folder, home)
  if (dot !== undefined && (credentialFolders.has(dot) || !(await exists(path.join(folder, '.git'))))) {
    refuse(`it lies in ~/${dot}, where programs keep settings and keys`)
  }
  return folder
}

/**
 * The canonical path of one `files.mount` entry, file or folder (attacks.md CFG-13).
 * @throws Failure `workspace/bad-mount`
 */
export async function checkMount(given: string, hostHome: string, stateDirs: readonly string[]): Promise<string> {
  const refuse = (reason: string): never => {
    throw new Failure('workspace/bad-mount', { path: given, reason })
  }
  if (given === '') refuse('an empty path names nothing')
  const target = await canonical(given, (reason) => new Failure('workspace/bad-mount', { path: given, reason }), refuse)
  const info = await stat(target)
  if (info.isSocket()) refuse('it is a socket: whoever may connect to it speaks to a program outside the wall')
  if (!info.isDirectory() && !info.isFile()) refuse('it is a device or a pipe')
  const home = await canonicalIfThere(hostHome)
  const reason = systemReason(target) ?? homeReason(target, home) ?? (await stateReason(target, stateDirs))
  if (reason !== undefined) refuse(reason)
  const dot = dotFolder(target, home)
  const cache = mountableCaches.some((inner) => isWithin(target, path.join(home, inner)) && target !== path.join(home, '.cache'))
  if (dot !== undefined && credentialFolders.has(dot) && !cache)
    refuse(`~/${dot} holds credentials or settings that programs of the host obey`)
  return target
}

async function canonical(given: string, missing: (reason: string) => Failure, refuse: (reason: string) => never): Promise<string> {
  if (given.includes('\0')) refuse('its path holds a NUL character')
  const bytes = await realpathBytes(path.resolve(given)).catch((error: NodeJS.ErrnoException) => {
    throw missing(error.code ?? error.message)
  })
  const text = bytes.toString('utf8')
  if (!Buffer.from(text, 'utf8').equals(bytes)) refuse('its path is not valid UTF-8')
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) refuse('its path holds control characters')
  return text
}

/** The canonical form of a path whose last parts need not exist. */
export async function canonicalIfThere(given: string): Promise<string> {
  const parent = path.dirname(given)
  return realpath(given).catch(async () => (parent === given ? given : path.join(await canonicalIfThere(parent), path.basename(given))))
}

function homeReason(folder: string, home: string): string | undefined {
  if (folder === home) return 'it is your home folder, with every other project and your keys in it'
  if (isWithin(home, folder)) return 'your home folder lies in it'
  return undefined
}

async function stateReason(folder: string, stateDirs: readonly string[]): Promise<string | undefined> {
  for (const given of stateDirs) {
    const state = await canonicalIfThere(given)
    if (isWithin(state, folder)) return `anchorhold's own folder ${state} lies in it`
    if (isWithin(folder, state)) return `it lies in anchorhold's own folder ${state}`
  }
  return undefined
}

/** The first part below home where it begins with a dot: `.config` for ~/.config/nvim. */
function dotFolder(folder: string, home: string): string | undefined {
  if (!isWithin(folder, home) || folder === home) return undefined
  const first = folder.slice(home.endsWith('/') ? home.length : home.length + 1).split('/')[0]
  return first !== undefined && first.startsWith('.') ? first : undefined
}

function exists(target: string): Promise<boolean> {
  return stat(target).then(
    () => true,
    () => false,
  )
}
