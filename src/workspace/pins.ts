// A folder with a cover in it can still be renamed as a whole; a folder that is a mount itself can't. Pure.
import path from 'node:path'
import type { Cover, Mount } from '../model/plan.ts'
import { isWithin } from '../host/paths.ts'

/** More would make the engine's list of mounts long; the sweep at the end finds a renamed folder anyway. */
const most = 12
const manyFolders = 64

/**
 * Folders bound onto themselves, so that `mv .claude elsewhere` can't take a protected file from its place: those whose own name makes the
 * protected one (`.git`, `.claude`, `.github`), nearest to the root first.
 */
export function pinsFor(covers: readonly Cover[], roots: readonly string[]): readonly Mount[] {
  const parents = new Set(covers.map((cover) => parentOf(cover.path)))
  // Where there are very many, only those directly in a root count; looking at each would cost more than the rest of the start.
  const near = parents.size > manyFolders ? [...parents].filter((folder) => roots.includes(parentOf(folder))) : [...parents]
  const sealed = new Set(covers.filter(({ kind }) => kind !== 'link').map((cover) => cover.path))
  const folders = near.filter(
    (folder) =>
      path.basename(folder).startsWith('.') &&
      !sealed.has(folder) &&
      !roots.includes(folder) &&
      roots.some((root) => isWithin(folder, root)),
  )
  const ranked = folders
    .map((folder) => ({ folder, depth: folder.split('/').length }))
    .toSorted((a, b) => a.depth - b.depth || (a.folder < b.folder ? -1 : 1))
  return ranked.slice(0, most).map(({ folder }) => ({ kind: 'bind', from: folder, to: folder, mode: 'rw' }))
}

function parentOf(place: string): string {
  return place.slice(0, place.lastIndexOf('/'))
}
