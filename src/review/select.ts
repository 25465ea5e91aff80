// Which changes the words of a command line mean: a path itself, all below it, a name as it was shown. Used by diff, apply and undo.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { Change } from '../model/change.ts'
import type { Review } from './open-review.ts'

export interface Selected {
  readonly changes: readonly Change[]
  /** Chosen by their very name, not by a folder above: risky ones among them are confirmed by that. */
  readonly named: ReadonlySet<Change>
}

/**
 * @param words as typed; relative ones to `cwd`. None: everything
 * @param shownAs how a change's path was shown to the user
 * @throws Failure apply/no-path
 */
export function selectChanges(review: Review, words: readonly string[], cwd: string, shownAs: (change: Change) => string): Selected {
  if (words.length === 0) return { changes: review.changes, named: new Set() }
  const named = new Set<Change>()
  const chosen = new Set<Change>()
  for (const word of words) {
    const place = path.resolve(cwd, word)
    let hits = 0
    for (const change of review.changes) {
      const root = review.proposal.roots[change.root]?.path ?? '/'
      const own = [change.path, ...(change.from === undefined ? [] : [change.from])].map((each) => path.posix.join(root, each))
      const exact = own.includes(place) || shownAs(change) === word || shownAs(change) === word.replace(/^\.\//, '')
      const inside = own.some((each) => each.startsWith(place === '/' ? '/' : `${place}/`))
      if (exact) named.add(change)
      if (exact || inside) {
        chosen.add(change)
        hits += 1
      }
    }
    if (hits === 0) throw new Failure('apply/no-path', { path: word, id: review.proposal.id })
  }
  return { changes: review.changes.filter((change) => chosen.has(change)), named }
}
