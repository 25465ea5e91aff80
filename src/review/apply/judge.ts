// Holds a change against what the user has now: whether it fits, is there already, or meets a change of the user's own. Writes nothing.
import type { Change, Side } from '../../model/change.ts'
import { baseKey } from '../base.ts'
import type { Below } from '../below.ts'
import { isBinary, contentOf, sameSide, sideOf, textLimit } from '../tree.ts'
import type { Review } from '../open-review.ts'
import { mergeTexts, type Merged } from '../merge.ts'

export type Verdict =
  /** `now` is what lies there (of a rename: at its old place). */
  | { readonly kind: 'fits'; readonly now: Side | undefined }
  | { readonly kind: 'there' }
  /** Both changed it. `merged`: the two together, where both are text. */
  | { readonly kind: 'conflict'; readonly reason: string; readonly now: Side | undefined; readonly merged?: Merged }
  /** Never applied as a file. */
  | { readonly kind: 'refused'; readonly reason: string }

/** @param project the root's own tree, as it is now */
export function judgeNow(change: Change, review: Review, project: Below): Verdict {
  const refused = refusal(change, review)
  if (refused !== undefined) return { kind: 'refused', reason: refused }
  const from = change.from ?? change.path
  project.forget()
  const now = sideOf(project, from)
  const there = change.from === undefined ? now : sideOf(project, change.path)
  if (same(there, change.after) && (change.from === undefined || now === undefined)) return { kind: 'there' }
  if (change.from !== undefined && there !== undefined) return { kind: 'conflict', reason: 'something lies at its new place', now: there }
  const lost = review.base.get(baseKey({ root: change.root, path: from }))?.state === 'lost'
  if (!lost && same(now, change.before)) return { kind: 'fits', now }
  // Only the mode changed here, only the content there, or the other way round: one does not touch the other.
  if (!lost && change.from === undefined && independent(change, now)) return { kind: 'fits', now }
  const reason = lost
    ? 'you changed it while the agent worked'
    : now === undefined
      ? 'you removed it meanwhile'
      : change.before === undefined
        ? 'you made one too'
        : change.after === undefined
          ? 'the agent removed it, you changed it meanwhile'
          : 'you changed it meanwhile'
  const merged = lost ? undefined : tryMerge(change, review, project, now)
  return { kind: 'conflict', reason, now, ...(merged === undefined ? {} : { merged }) }
}

function refusal(change: Change, review: Review): string | undefined {
  const { after, git, action } = change
  if (after?.kind === 'fifo' || after?.kind === 'socket' || after?.kind === 'device') return `a ${after.kind} is never applied`
  if (isSparse(change.before) || isSparse(after)) return 'most of it are holes: it is neither compared nor applied'
  const made =
    git === 'history' && review.sidesOf(change).before.facts(change.path.slice(0, Math.max(0, change.path.search(/\/|$/)))) === undefined
  if (git === 'history' && !made) return "git's own record is never copied; its commits come with --commits"
  if (action === 'deleted' && change.before !== undefined && !['file', 'link', 'folder'].includes(change.before.kind))
    return `a ${change.before.kind} is left as it is`
  return undefined
}

function isSparse(side: Side | undefined): boolean {
  return side?.kind === 'file' && side.sparse === true
}

/** A file's own bits beyond reading, writing and executing are the user's. */
function same(a: Side | undefined, b: Side | undefined): boolean {
  const plain = (side: Side | undefined): Side | undefined =>
    side !== undefined && 'mode' in side ? { ...side, mode: side.mode & 0o777 } : side
  return sameSide(plain(a), plain(b))
}

function independent({ before, after }: Change, now: Side | undefined): boolean {
  if (before?.kind !== 'file' || after?.kind !== 'file' || now?.kind !== 'file') return false
  return (before.hash === now.hash && before.mode === after.mode) || (before.hash === after.hash && before.mode === now.mode)
}

function tryMerge(change: Change, review: Review, project: Below, now: Side | undefined): Merged | undefined {
  const { before, after } = change
  if (before?.kind !== 'file' || after?.kind !== 'file' || now?.kind !== 'file') return undefined
  const sides = review.sidesOf(change)
  const texts = [
    contentOf(sides.before, change.from ?? change.path, before, textLimit),
    contentOf(project, change.from ?? change.path, now, textLimit),
    contentOf(sides.after, change.path, after, textLimit),
  ] as const
  if (texts.some((text) => isBinary(text) || text.length >= textLimit)) return undefined
  const [base, mine, theirs] = texts.map((text) => text.toString('latin1')) as [string, string, string]
  return mergeTexts(base, mine, theirs)
}
