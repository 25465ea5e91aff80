// Which cover of a run would lie over a path: the project and its mounts are searched with the same scout and tables. Used by explain-path.ts.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Policy } from '../model/policy.ts'
import { writableRoots } from '../plan/make.ts'
import { coversFor, nameOfMatch, withReached } from '../workspace/covers.ts'
import { findReach } from '../workspace/reach.ts'
import { gitPart, startScout } from '../workspace/scout.ts'
import { makeTables } from '../workspace/tables.ts'
import { isWithin } from '../host/paths.ts'

export interface CoverOver {
  /** `view`: git's configuration, of which the cell has its own. */
  readonly kind: 'readonly' | 'empty' | 'view'
  /** The name of the tables or the policy's glob that it is covered for; empty where it is reached through another. */
  readonly name: string
}

/** @throws Failure `workspace/scan` */
export async function coverOver(real: string, policy: Policy, project: string): Promise<CoverOver | undefined> {
  const writable = writableRoots(policy, project)
  const places = [...new Set([...writable, project, ...policy.files.mount.map((mount) => mount.path)])]
  const kinds = await Promise.all(places.map((place) => stat(place).then((info) => info.isDirectory())))
  const roots = places.filter((_, index) => kinds[index] === true).map((place) => ({ path: place, writable: writable.includes(place) }))
  const tables = makeTables(policy.files, writable.length > 0 ? 'all' : 'hidden')
  await using scout = startScout({ roots: roots.map((root) => ({ path: root.path })), patterns: tables.patterns, mode: 'commands' })
  const matches = await scout.first
  const found = coversFor(matches, roots, tables)
  const live = writable.length > 0
  const reach = await findReach(matches, live ? roots : roots.map((root) => ({ ...root, writable: true })), tables, new Set(found.hidden))
  const cover = withReached(found, live ? reach.reached : reach.reached.filter(({ how }) => how === 'empty')).covers.findLast((each) =>
    isWithin(real, each.path),
  )
  if (cover === undefined) return undefined
  const match = matches.find((each) => path.join(roots[each.root]?.path ?? '', each.path) === cover.path)
  const viewed = match?.id === gitPart.config && match.type === 'f' && match.path === '.git/config' && roots[match.root]?.writable === true
  return {
    kind: viewed ? 'view' : cover.kind === 'empty' ? 'empty' : 'readonly',
    name: match === undefined ? '' : nameOfMatch(match, tables),
  }
}
