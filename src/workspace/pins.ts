// A folder with a cover in it can still be renamed as a whole; a folder that is a mount itself can't. Pure.
import path from 'node:path'
import type { Cover, Mount } from '../model/plan.ts'
import { isWithin } from './project.ts'

/** More would make the engine's list of mounts long; the sweep at the end finds a renamed folder anyway. */
const most = 32

/**
 * Folders bound onto themselves, so that `mv .claude elsewhere` can't take a protected file from its place: those whose own name makes the
 * protected one (`.git`, `.claude`, `.github`), nearest to the root first.
 */
export function pinsFor(covers: readonly Cover[], roots: readonly string[]): readonly Mount[] {
  const sealed = new Set(covers.filter(({ kind }) => kind !== 'link').map((cover) => cover.path))
  const folders = new Set(covers.map((cover) => path.dirname(cover.path)).filter((folder) => path.basename(folder).startsWith('.') && !sealed.has(folder) && !roots.includes(folder) && roots.some((root) => isWithin(folder, root))))
  const depth = (folder: string) => folder.split('/').length
  return [...folders].toSorted((a, b) => depth(a) - depth(b) || a.localeCompare(b)).slice(0, most).map((folder) => ({ kind: 'bind', from: folder, to: folder, mode: 'rw' }))
}
