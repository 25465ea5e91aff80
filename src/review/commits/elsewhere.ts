// What git recorded elsewhere than in the project's own repository: in submodules, and in repositories inside the project. No git is asked.
import type { Review } from '../open-review.ts'
import { gitPartOf } from '../git-part.ts'

type Changes = Pick<Review, 'changes' | 'sidesOf'>

/** Git folders of submodules, and of repositories in the project, in which a branch or HEAD moved; the project's own is none of them. */
export function movedSubmodules(review: Changes): readonly string[] {
  const folders = recordsElsewhere(review).flatMap(({ folder, inner }) =>
    /^(?:HEAD|refs\/heads\/.+|packed-refs)$/.test(inner) ? [folder] : [],
  )
  return [...new Set(folders)].toSorted()
}

/** Of what git keeps for other repositories of the project. One that the agent made comes with its files, and is left out. */
export function recordsElsewhere({ changes, sidesOf }: Changes): readonly { readonly folder: string; readonly inner: string }[] {
  return changes.flatMap((change) => {
    const at = change.root === 0 && change.git === 'history' ? gitPartOf(change.path) : undefined
    if (at === undefined || at.folder === '.git' || at.folder.includes('/worktrees/')) return []
    return sidesOf(change).before.facts(at.folder) === undefined ? [] : [at]
  })
}
