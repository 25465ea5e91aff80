// What becomes of a proposal after an apply or an undo: applied when nothing of it waits. Neighbour: trash.ts.
import { openReview, type Review } from './open-review.ts'
import { readProposal, writeProposal } from './record.ts'

/** Marks the proposal applied where no change waits any more; git's own record waits for nobody. The caller holds it. */
export async function closeWhenEmpty({ folder }: Pick<Review, 'folder'>): Promise<void> {
  const proposal = readProposal(folder)
  if (proposal === undefined) return
  using now = await openReview({ proposal, folder }, { lines: false, settle: true })
  const waiting = now.changes.filter(({ git }) => git !== 'history').length
  const { proposal: fresh } = now
  const state = waiting === 0 ? 'applied' : 'open'
  if (fresh.state !== state || fresh.changes !== waiting) writeProposal(folder, { ...fresh, state, changes: waiting })
}
