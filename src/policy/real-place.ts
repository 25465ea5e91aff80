// Policy: where a path of the host leads, and why it is more than one project. Asked for the project and for each mount.
import path from 'node:path'
import type { Failure } from '../errors/failure.ts'
import { realpath, realpathBytes } from '../host/at-once.ts'
import { isWithin } from '../host/paths.ts'
import { systemReason } from './places.ts'

/**
 * Why a canonical path is not one project's or task's: a system, a home, anchorhold's own.
 * @param home canonical
 * @param own anchorhold's own folders, absolute; they need not exist
 */
export async function wideReason(place: string, home: string, own: readonly string[]): Promise<string | undefined> {
  return systemReason(place) ?? homeReason(place, home) ?? (await stateReason(place, own))
}

/** The canonical path, in plain text. `missing` makes the failure for one that is not there, `refuse` throws for one that can't be said. */
export async function canonical(given: string, missing: (reason: string) => Failure, refuse: (reason: string) => never): Promise<string> {
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
export function dotFolder(folder: string, home: string): string | undefined {
  if (!isWithin(folder, home) || folder === home) return undefined
  const first = folder.slice(home.endsWith('/') ? home.length : home.length + 1).split('/')[0]
  return first !== undefined && first.startsWith('.') ? first : undefined
}
