// Opens a proposal for reading: its changes with their risks, and both sides of each. For diff, apply and the summary at the end of a run.
import * as fs from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { Change } from '../model/change.ts'
import { readBase } from './base.ts'
import { settleProposal, type Settled } from './settle.ts'
import { openBefore } from './before.ts'
import { openBelow } from './below.ts'
import { collectUpper, type Sides } from './collect.ts'
import type { FoundProposal } from './find.ts'
import { inspect } from './inspect.ts'
import type { BaseEntry, Proposal } from './proposal.ts'
import type { Known } from '../secrets/scan/finding.ts'
import { readUpper } from './upper.ts'

export interface Review extends Disposable {
  readonly proposal: Proposal
  /** `sessions/ID/proposal`. */
  readonly folder: string
  /** Risky ones first, then by path. */
  readonly changes: readonly Change[]
  /** Paths that were hidden from the agent: what it wrote there is not offered over what the user has. */
  readonly withheld: readonly string[]
  readonly base: ReadonlyMap<string, BaseEntry>
  sidesOf(change: Change): Sides
  /** As the user knows it: relative to the project, or absolute in another root. */
  shown(change: Pick<Change, 'root' | 'path'>): string
}

/**
 * @param options `settle`: the caller holds the proposal (lock.ts), and what was not noted of the original is noted now
 * @throws Failure `review/unreadable`, `apply/project-gone`
 */
export async function openReview(
  found: FoundProposal,
  options: { readonly lines: boolean; readonly settle: boolean; readonly mine?: readonly Known[] },
): Promise<Review> {
  requireRoots(found.proposal)
  const settled = options.settle
    ? await settleProposal(found.proposal, found.folder)
    : { proposal: found.proposal, upper: await readUpper(found.proposal, found.folder), base: await readBase(found.folder) }
  return reviewOf(settled, found.folder, options)
}

/** Without its project a proposal would look as if nothing had been there before. @throws Failure `apply/project-gone` */
export function requireRoots({ id, roots }: Pick<Proposal, 'id' | 'roots'>): void {
  const gone = roots.find(({ path: place }) => fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() !== true)
  if (gone !== undefined) throw new Failure('apply/project-gone', { path: gone.path, id })
}

/** For the last line of a run. `waiting` counts git's own record too: commits alone are worth keeping. */
export async function countChanges(
  settled: Settled,
  folder: string,
  mine: readonly Known[],
): Promise<{ readonly changes: number; readonly eyes: number; readonly waiting: number }> {
  using review = await reviewOf(settled, folder, { lines: false, mine })
  const own = review.changes.filter(({ git }) => git !== 'history')
  return { changes: own.length, eyes: own.filter(isRisky).length, waiting: own.length === 0 ? review.changes.length : own.length }
}

async function reviewOf(
  { proposal, upper, base }: Settled,
  folder: string,
  { lines, mine }: { readonly lines: boolean; readonly mine?: readonly Known[] },
): Promise<Review> {
  using opened = new DisposableStack()
  const sides = proposal.roots.map((root, index): Sides => {
    const project = opened.use(openBelow(root.path))
    return {
      before: openBefore(project, index, base, folder),
      after: opened.use(openBelow(root.upper, { asOwner: true })),
      isGit: root.purpose === 'git',
    }
  })
  const sidesOf = (change: Change): Sides => {
    const found = sides[change.root]
    if (found === undefined) throw new Error(`no root ${change.root}`)
    return found
  }
  const shown = ({ root, path: place }: Pick<Change, 'root' | 'path'>): string =>
    root === 0 ? place : path.posix.join(proposal.roots[root]?.path ?? '/', place)
  const hidden = new Set(proposal.hidden)
  const all = sides.flatMap((each, index) => collectUpper(upper, index, each))
  const isHidden = (change: Change): boolean => hidden.has(path.posix.join(proposal.roots[change.root]?.path ?? '/', change.path))
  const changes = await inspect(
    all.filter((change) => !isHidden(change)),
    sidesOf,
    { lines, folder, mine },
  )
  const owned = opened.move()
  return {
    proposal,
    folder,
    changes: riskyFirst(changes),
    withheld: all.filter(isHidden).map(shown),
    base,
    sidesOf,
    shown,
    [Symbol.dispose]: () => owned.dispose(),
  }
}

export function riskyFirst(changes: readonly Change[]): readonly Change[] {
  return [...changes.filter(isRisky), ...changes.filter((change) => !isRisky(change))]
}

export function isRisky(change: Change): boolean {
  return change.risks.length > 0
}
