// From what the scout found at the start to what lies over it in the cell. Pure.
import path from 'node:path'
import type { Cover } from '../model/plan.ts'
import type { Reached } from './reach.ts'
import { gitPart, type Match } from './scout.ts'
import { isShown, type Meaning, type Tables } from './tables.ts'

export interface Covered {
  readonly covers: readonly Cover[]
  /** Absolute paths that are empty inside. */
  readonly hidden: readonly string[]
  readonly protectedCount: number
  /** Folders that could not be read: read-only as a whole, since nobody knows what is in them. */
  readonly unreadable: readonly string[]
}

/** Names of git's own parts, as `files.unprotect` lifts them. */
const gitNames: ReadonlyMap<number, string> = new Map([
  [gitPart.config, '.git/config'],
  [gitPart.worktreeConfig, '.git/config'],
  [gitPart.hooks, '.git/hooks'],
  [gitPart.hook, '.git/hooks'],
  [gitPart.link, '.git'],
  [gitPart.commondir, '.git/commondir'],
  [gitPart.innerLink, 'a link in a git-dir'],
  [gitPart.todo, 'steps of a rebase'],
])

/** What a match is called in messages, and the key that lifts it. */
export function nameOfMatch(match: Match, tables: Tables): string {
  const meaning = tables.meanings.get(match.id)
  return meaning?.glob ?? gitNames.get(match.id) ?? ''
}

/** @param writable by index of root: whether the cell may write there */
export function coversFor(
  matches: readonly Match[],
  roots: readonly { readonly path: string; readonly writable: boolean }[],
  tables: Tables,
): Covered {
  const readonly = new Map<string, Cover>()
  const empty = new Map<string, Cover>()
  const hidden = new Set<string>()
  const unreadable: string[] = []
  for (const match of matches) {
    const root = roots[match.root]
    if (root === undefined) continue
    const place = `${root.path}/${match.path}`
    const kind = coverKind(match, root.writable, tables.meanings.get(match.id), tables)
    if (kind === 'empty') {
      empty.set(place, { kind: 'empty', path: place, what: match.type === 'd' ? 'directory' : 'file' })
      hidden.add(place)
    } else if (kind === 'readonly') {
      readonly.set(place, { kind: 'readonly', path: place })
      if (match.id === gitPart.unreadable) unreadable.push(place)
    }
  }
  const covers = arrange([...readonly.values(), ...empty.values()])
  return { covers, hidden: [...hidden].toSorted(), protectedCount: covers.filter(({ kind }) => kind === 'readonly').length, unreadable }
}

/** Adds what protected or hidden paths lead to. */
export function withReached(covered: Covered, reached: readonly Reached[]): Covered {
  const more = reached.filter(({ exists }) => exists)
  if (more.length === 0) return covered
  const covers = arrange([
    ...covered.covers,
    ...more.map((one): Cover =>
      one.how === 'empty'
        ? { kind: 'empty', path: one.path, what: one.isFolder ? 'directory' : 'file' }
        : { kind: 'readonly', path: one.path },
    ),
  ])
  const hidden = [...new Set([...covered.hidden, ...more.filter(({ how }) => how === 'empty').map((one) => one.path)])].toSorted()
  return { ...covered, covers, hidden, protectedCount: covers.filter(({ kind }) => kind === 'readonly').length }
}

/** Outer ones first: a cover laid later over a folder would bury those in it. What lies in an empty folder is gone anyway. */
function arrange(covers: readonly Cover[]): readonly Cover[] {
  const kinds = new Map<string, Cover['kind']>()
  for (const { path: place, kind } of covers) if (kinds.get(place) !== 'empty') kinds.set(place, kind)
  const folders = new Set([...kinds.keys()].map(parentOf)) // few, where the covers are many
  // No cover lies above the shortest path that is covered.
  const shortest = covers.reduce((least, { path: place }) => Math.min(least, place.length), Infinity)
  const outer = new Map([...folders].map((folder) => [folder, outermost(folder, kinds, shortest)]))
  return covers
    .filter((cover) => {
      const above = outer.get(parentOf(cover.path))
      return kinds.get(cover.path) === cover.kind && (above === undefined || (above === 'readonly' && cover.kind === 'empty'))
    })
    .toSorted((a, b) => a.path.length - b.path.length)
}

function parentOf(place: string): string {
  return place.slice(0, place.lastIndexOf('/'))
}

/** 'empty' where any folder from here up is emptied, 'readonly' where one is read-only. */
function outermost(folder: string, kinds: ReadonlyMap<string, Cover['kind']>, shortest: number): Cover['kind'] | undefined {
  let found: Cover['kind'] | undefined
  for (let at = folder; at.length >= shortest; at = parentOf(at)) {
    const kind = kinds.get(at)
    if (kind === 'empty') return kind
    found ??= kind
  }
  return found
}

function coverKind(match: Match, writable: boolean, meaning: Meaning | undefined, tables: Tables): 'readonly' | 'empty' | undefined {
  if (meaning?.kind === 'hide') {
    return meaning.builtIn && (match.type === 'd' ? meaning.glob.startsWith('.env') : isShown(path.posix.basename(match.path)))
      ? undefined
      : 'empty'
  }
  if (!writable) return undefined
  if (match.id === gitPart.unreadable) return 'readonly'
  if (meaning?.kind === 'protect') return meaning.keep === 'sealed' ? 'readonly' : undefined
  // The folder of hooks is covered as a whole; the others belong to what git does, and are judged by what they say.
  if (match.id === gitPart.hook || match.id === gitPart.innerLink || match.id === gitPart.todo) return undefined
  return tables.lifted.has(gitNames.get(match.id) ?? '') ? undefined : 'readonly'
}
