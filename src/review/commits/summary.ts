// What diff says of the agent's commits: how many on which branch, and their subjects. Loaded only where a branch moved.
import type { Review } from '../open-review.ts'
import { ownGit } from './git.ts'
import { parseCommit } from './message.ts'
import { openStore } from './store.ts'

export interface BranchSummary {
  readonly branch: string
  /** Oldest first; at most fifty. */
  readonly commits: readonly { readonly id: string; readonly author: string; readonly subject: string }[]
  readonly count: number
}

const most = 50

/** Text of the agent's: to be made plain before it is shown. */
export function summarizeCommits(review: Review): readonly BranchSummary[] {
  using store = openStore(review)
  if (store === undefined) return []
  return store.branches
    .filter(({ commits }) => commits.length > 0)
    .map(({ name, commits }) => ({
      branch: name.replace(/^refs\/heads\//, ''),
      count: commits.length,
      commits: commits.slice(0, most).map((id) => {
        const commit = parseCommit(ownGit(store.gitDir, ['cat-file', 'commit', id]).stdout)
        return { id, author: commit?.author ?? '', subject: commit?.message.split('\n')[0] ?? '' }
      }),
    }))
}
