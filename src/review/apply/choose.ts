// What an apply without questions takes: everything that fits and needs no look, and what was named. The rest is left out with its reason.
import type { Change } from '../../model/change.ts'
import { openBelow } from '../below.ts'
import { isRisky, type Review } from '../open-review.ts'
import type { Selected } from '../select.ts'
import { openStale } from '../shown.ts'
import { judgeNow, type Verdict } from './judge.ts'
import type { Chosen } from './stage.ts'

export interface LeftOut {
  readonly change: Change
  readonly reason: string
  /** `risk`: to be named or confirmed. `conflict`: the user changed it too. `refused`: never applied. */
  readonly kind: 'risk' | 'conflict' | 'refused'
  /** Of a conflict between texts: both together. */
  readonly merged?: { readonly text: string; readonly conflicts: number }
}

export interface Choice {
  readonly chosen: readonly Chosen[]
  readonly leftOut: readonly LeftOut[]
  /** Already in the project as proposed. */
  readonly there: readonly Change[]
}

/** Every selected change with what the project says to it now. */
export function judgeAll(review: Review, changes: readonly Change[]): readonly { readonly change: Change; readonly verdict: Verdict }[] {
  using opened = new DisposableStack()
  const projects = review.proposal.roots.map(({ path }) => opened.use(openBelow(path)))
  return changes.map((change) => {
    const project = projects[change.root]
    if (project === undefined) throw new Error(`no root ${change.root}`)
    return { change, verdict: judgeNow(change, review, project) }
  })
}

/** @param want `merge`: take merges that meet no conflict */
export function choose(review: Review, { changes, named }: Selected, want: { readonly merge: boolean }): Choice {
  const chosen: Chosen[] = []
  const leftOut: LeftOut[] = []
  const there: Change[] = []
  const stale = openStale(review.folder)
  for (const { change, verdict } of judgeAll(review, changes)) {
    if (verdict.kind === 'refused') {
      if (change.git !== 'history') leftOut.push({ change, reason: verdict.reason, kind: 'refused' })
    } else if (verdict.kind === 'there') there.push(change)
    else if (stale(change)) leftOut.push({ change, reason: 'it is not what anchorhold diff showed last; read it again', kind: 'refused' })
    else if (isRisky(change) && !named.has(change)) leftOut.push({ change, reason: 'it needs your eyes', kind: 'risk' })
    else if (verdict.kind === 'fits') chosen.push({ change, now: { side: verdict.now } })
    else if (want.merge && verdict.merged?.conflicts === 0) chosen.push({ change, text: verdict.merged.text, now: { side: verdict.now } })
    else
      leftOut.push({
        change,
        reason: verdict.reason,
        kind: 'conflict',
        ...(verdict.merged === undefined ? {} : { merged: verdict.merged }),
      })
  }
  return { chosen, leftOut, there }
}
