// Finds what the agent changed, from an overlay's upper layer by content alone: never through git's index, attributes or filters. What equals
// the original is no change, whatever was done to it. Cost: the upper layer, and one look at the original for each of its entries.
import type { Action, Change, GitPart, Side } from '../model/change.ts'
import { gitPartOf } from './git-part.ts'
import { findRenames } from './renames.ts'
import { below, sameSide, sideOf, unknownHash, type Tree } from './tree.ts'
import type { UpperEntry } from './proposal.ts'

export interface Sides {
  /** The root is itself a git folder (of a linked work tree, of a submodule). */
  readonly isGit?: boolean
  readonly before: Tree
  readonly after: Tree
}

/** By path; without risks and line counts yet. */
export type Collected = readonly Change[]

type Found = Omit<Change, 'risks' | 'binary' | 'lines'>

/** Changes of one root's upper layer; entries of other roots are left out. */
export function collectUpper(entries: readonly UpperEntry[], root: number, sides: Sides): Collected {
  const own = entries.filter((entry) => entry.root === root && entry.path !== '')
  const found = new Map<string, Found>()
  /** Folders below which nothing of the original shows through. */
  const opaque = new Set<string>()
  const named = new Set(own.map(({ path }) => path))
  for (const entry of own) {
    const { path } = entry
    if (entry.kind === 'whiteout') addDeleted(found, root, sides.before, path)
    else {
      if (entry.facts.type === 'd' && (entry.opaque || opaque.has(parentOf(path)))) {
        opaque.add(path)
        addHidden(found, root, sides.before, path, named)
      }
      addEntry(found, sides, entry)
    }
  }
  return finish(asGit(found, sides), own, sides)
}

/** Changes among paths that may differ between two whole trees (copies, remembered states). */
export function collectPaths(paths: Iterable<string>, root: number, sides: Sides): Collected {
  const found = new Map<string, Found>()
  for (const path of paths) {
    const before = sideOf(sides.before, path)
    const after = sideOf(sides.after, path)
    if (after === undefined && before?.kind === 'folder') addDeleted(found, root, sides.before, path)
    else add(found, { root, path }, before, after)
  }
  return finish(asGit(found, sides), [], sides)
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function addDeleted(found: Map<string, Found>, root: number, before: Tree, path: string): void {
  const side = sideOf(before, path)
  add(found, { root, path }, side, undefined)
  if (side?.kind !== 'folder') return
  for (const inner of below(before, path)) add(found, { root, path: inner }, sideOf(before, inner), undefined)
}

/** What an opaque folder took away: all of the original that is not there again. */
function addHidden(found: Map<string, Found>, root: number, before: Tree, folder: string, named: ReadonlySet<string>): void {
  if (before.facts(folder)?.type !== 'd') return
  for (const name of before.list(folder)) {
    const path = folder === '' ? name : `${folder}/${name}`
    if (!named.has(path)) addDeleted(found, root, before, path)
  }
}

function addEntry(found: Map<string, Found>, sides: Sides, entry: UpperEntry): void {
  const { root, path, facts } = entry
  const before = sideOf(sides.before, path)
  const after = enterable(sideOf(sides.after, path), before)
  if (before?.kind === 'folder' && after?.kind !== 'folder') addDeleted(found, root, sides.before, path)
  const file = facts.type === 'f'
  const dropped = [
    ...(file && (facts.mode & 0o4000) !== 0 ? ['set-user-ID'] : []),
    ...(file && (facts.mode & 0o2000) !== 0 ? ['set-group-ID'] : []),
    ...entry.attributes,
  ]
  const names = sides.before.facts(path)
  const otherNames = names?.type === 'f' && after?.kind === 'file' ? names.nlink - 1 : 0
  add(found, { root, path }, before, after, { dropped, otherNames })
}

/** What its owner may do in a folder is theirs: one that the agent locked could neither be applied to nor removed. */
function enterable(after: Side | undefined, before: Side | undefined): Side | undefined {
  if (after?.kind !== 'folder') return after
  return { ...after, mode: after.mode | (before?.kind === 'folder' ? before.mode & 0o700 : 0o700) }
}

function add(
  found: Map<string, Found>,
  at: { readonly root: number; readonly path: string },
  before: Side | undefined,
  after: Side | undefined,
  { dropped, otherNames }: { readonly dropped: readonly string[]; readonly otherNames: number } = { dropped: [], otherNames: 0 },
): void {
  if (sameSide(before, after)) return
  const git = gitPartOf(at.path)?.part
  found.set(at.path, {
    ...at,
    action: actionOf(before, after),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(git === undefined ? {} : { git }),
    ...(dropped.length === 0 ? {} : { dropped }),
    ...(otherNames === 0 ? {} : { otherNames }),
  })
}

function asGit(found: ReadonlyMap<string, Found>, { isGit }: Sides): ReadonlyMap<string, Found> {
  if (isGit !== true) return found
  const part = (path: string): GitPart => gitPartOf(`.git/${path}`)?.part ?? 'other'
  return new Map([...found].map(([path, change]) => [path, { ...change, git: part(path) }]))
}

function actionOf(before: Side | undefined, after: Side | undefined): Action {
  if (before === undefined) return 'added'
  if (after === undefined) return 'deleted'
  if (before.kind !== after.kind) return 'type'
  if (
    before.kind === 'folder' ||
    (before.kind === 'file' && after.kind === 'file' && before.hash === after.hash && after.hash !== unknownHash)
  )
    return 'mode'
  return 'modified'
}

function finish(found: ReadonlyMap<string, Found>, entries: readonly UpperEntry[], sides: Sides): readonly Change[] {
  const kept = withoutFullFolders([...found.values()])
  const linked = furtherNames(entries)
  const withLinks = kept.map((change) => {
    const first = linked.get(change.path)
    return first !== undefined && found.has(first) ? { ...change, linkedTo: first } : change
  })
  const changes = findRenames(withLinks, sides).map((change) => ({ ...change, binary: false, risks: [] }))
  return changes.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** A new folder with something in it comes with that. A deleted one is told: it goes when nothing is left in it. */
function withoutFullFolders(found: readonly Found[]): readonly Found[] {
  const full = new Set(found.map(({ path }) => parentOf(path)))
  // Growing while it is walked: parents of parents are looked at as well.
  for (const path of full) if (path !== '') full.add(parentOf(path))
  return found.filter(({ path, action, after }) => {
    if (!full.has(path)) return true
    return !(action === 'added' && after?.kind === 'folder')
  })
}

/** Of files with several names in the layer: each further name, to the first. */
function furtherNames(entries: readonly UpperEntry[]): ReadonlyMap<string, string> {
  const first = new Map<string, string>()
  const further = new Map<string, string>()
  for (const { facts, path } of entries) {
    if (facts.type !== 'f' || facts.nlink < 2) continue
    const name = first.get(facts.ino)
    if (name === undefined) first.set(facts.ino, path)
    else further.set(path, name)
  }
  return further
}
