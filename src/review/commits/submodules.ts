// Commits that the agent made in submodules are not replayed, so that no commit which names one may be either. Neighbour: elsewhere.ts.
import type { Review } from '../open-review.ts'
import { pathOf } from '../../workspace/path-bytes.ts'
import { must, ownGit } from './git.ts'
import { recordsElsewhere } from './elsewhere.ts'
import type { Store } from './store.ts'

/** Paths at which a commit names one that only the view has. */
export function danglingLinks(store: Store, review: Pick<Review, 'changes' | 'sidesOf'>): readonly string[] {
  const objects = new Set(recordsElsewhere(review).map(({ inner }) => inner))
  if (objects.size === 0) return []
  const packed = [...objects].some((inner) => /^objects\/pack\/.*\.pack$/.test(inner))
  const isNew = (commit: string): boolean => packed || objects.has(`objects/${commit.slice(0, 2)}/${commit.slice(2)}`)
  const found = new Set<string>()
  for (const commit of new Set(store.branches.flatMap(({ commits }) => commits))) {
    const args = ['diff-tree', '-r', '-z', '-m', '--root', '--no-renames', '--no-commit-id', '--raw', '--no-abbrev', commit]
    const words = must(ownGit(store.gitDir, args), 'reading a commit').toString('latin1').split('\0')
    for (let at = 0; at + 1 < words.length; at += 2) {
      const [, mode = '', , after = ''] = (words[at] ?? '').split(' ')
      if (mode === '160000' && isNew(after)) found.add(pathOf(Buffer.from(words[at + 1] ?? '', 'latin1')))
    }
  }
  return [...found].toSorted()
}
