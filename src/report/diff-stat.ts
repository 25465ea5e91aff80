// `anchorhold diff --stat`, and the one line about a proposal that every run ends with.
import type { Change } from '../model/change.ts'
import type { Review } from '../review/open-review.ts'
import { shownPath } from './bytes.ts'
import { riskTitles } from './diff.ts'
import type { Style } from './style.ts'
import { counted, size } from './units.ts'
import { textWidth } from './width.ts'

const bar = 24

/** Git's own record counts as one. */
export function statLines(changes: readonly Change[], review: Pick<Review, 'shown'>, style: Style): readonly string[] {
  const history = changes.filter(({ git }) => git === 'history')
  const own = changes.filter(({ git }) => git !== 'history')
  const names = own.map((change) => nameOf(change, review))
  const width = Math.min(60, Math.max(0, ...names.map(textWidth)))
  const most = Math.max(1, ...own.map(({ lines }) => (lines?.added ?? 0) + (lines?.deleted ?? 0)))
  return [
    ...own.map((change, index) => {
      const name = names[index] ?? ''
      const kinds = [...new Set(change.risks.map(({ kind }) => riskTitles[kind]))]
      const risks = kinds.length === 0 ? '' : `  ${style.warn(`! ${kinds.join(', ')}`)}`
      return ` ${name}${' '.repeat(Math.max(0, width - textWidth(name)))} | ${measure(change, most, style)}${risks}`
    }),
    ...(history.length === 0 ? [] : [` (git) ${counted(history.length, 'file')} of git's own record`]),
    ` ${changesLine(changes)}`,
  ]
}

/** "7 files changed, 2 need your eyes". */
export function changesLine(changes: readonly Change[]): string {
  const own = changes.filter(({ git }) => git !== 'history')
  const eyes = own.filter(({ risks }) => risks.length > 0).length
  const sum = (side: 'added' | 'deleted'): number => own.reduce((total, { lines }) => total + (lines?.[side] ?? 0), 0)
  const lines = own.some((change) => change.lines !== undefined)
    ? `, ${counted(sum('added'), 'line')} added, ${sum('deleted')} deleted`
    : ''
  return `${counted(own.length, 'file')} changed${lines}${eyes === 0 ? '' : `, ${eyes} ${eyes === 1 ? 'needs' : 'need'} your eyes`}`
}

function nameOf(change: Change, review: Pick<Review, 'shown'>): string {
  const name = shownPath(review.shown(change))
  if (change.from !== undefined) return `${shownPath(review.shown({ root: change.root, path: change.from }))} → ${name}`
  return change.after?.kind === 'link' ? `${name} → ${shownPath(change.after.target)}` : name
}

function measure(change: Change, most: number, style: Style): string {
  const { before, after, lines, action } = change
  if (action === 'mode' && before !== undefined && after !== undefined && 'mode' in before && 'mode' in after)
    return `mode ${before.mode.toString(8)} → ${after.mode.toString(8)}`
  if (change.binary) return `binary ${sized(before)} → ${sized(after)}`
  if (lines === undefined || lines.added + lines.deleted === 0) return action
  const scale = Math.min(1, bar / most)
  const count = (value: number): number => (value === 0 ? 0 : Math.max(1, Math.round(value * scale)))
  const what = action === 'added' || action === 'deleted' ? ` ${action}` : ''
  return `${lines.added + lines.deleted} ${style.good('+'.repeat(count(lines.added)))}${style.bad('-'.repeat(count(lines.deleted)))}${what}`
}

function sized(side: Change['after']): string {
  return side?.kind === 'file' ? size(side.size) : '0'
}
