// `anchorhold diff --json`: one object, described in docs/review.md. Paths are text; where a name is no UTF-8, `bytes` holds it in base64.
import path from 'node:path'
import type { Change, Side } from '../model/change.ts'
import type { Review } from '../review/open-review.ts'
import { bytesOf, isText } from '../workspace/path-bytes.ts'

export interface ChangeJson extends Pick<Change, 'action' | 'binary' | 'risks'> {
  readonly path: string
  /** Base64 of the name's bytes, only where they are no UTF-8. */
  readonly bytes?: string
  readonly from?: string
  readonly before?: Side
  readonly after?: Side
  readonly lines?: Change['lines']
  readonly git?: Change['git']
  readonly linkedTo?: string
  /** How many further names the file has in the project or elsewhere (hard links): they keep what it was. */
  readonly otherNames?: number
  readonly dropped?: readonly string[]
  /** Absolute: the proposed file. Written by the agent: not to be run or opened carelessly. */
  readonly proposed?: string
}

export interface DiffJson {
  readonly session: string
  readonly project: string
  readonly state: string
  readonly changes: readonly ChangeJson[]
  readonly withheld: readonly string[]
  /** Changes with at least one risk. */
  readonly eyes: number
}

export function diffJson(changes: readonly Change[], review: Review): DiffJson {
  const own = changes.map((change): ChangeJson => {
    const { root, path: name, action, binary, risks, from, before, after, lines, git, linkedTo, otherNames, dropped } = change
    const upper = review.proposal.roots[root]?.upper
    return {
      path: text(review.shown(change)),
      ...(isText(name) ? {} : { bytes: bytesOf(name).toString('base64') }),
      action,
      ...(from === undefined ? {} : { from: text(review.shown({ root, path: from })) }),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      binary,
      ...(lines === undefined ? {} : { lines }),
      ...(git === undefined ? {} : { git }),
      ...(linkedTo === undefined ? {} : { linkedTo: text(linkedTo) }),
      ...(otherNames === undefined ? {} : { otherNames }),
      ...(dropped === undefined ? {} : { dropped }),
      risks,
      ...(after === undefined || upper === undefined ? {} : { proposed: path.join(upper, text(name)) }),
    }
  })
  return {
    session: review.proposal.id,
    project: review.proposal.project,
    state: review.proposal.state,
    changes: own,
    withheld: review.withheld.map(text),
    eyes: changes.filter(({ risks, git }) => risks.length > 0 && git !== 'history').length,
  }
}

/** Replacement characters for what no text can hold. */
function text(name: string): string {
  return name.toWellFormed()
}
