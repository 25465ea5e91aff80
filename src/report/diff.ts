// `anchorhold diff` for people: each change with its risks and its hunks, everything of the agent's made plain. Neighbours: diff-stat.ts,
// diff-json.ts; review/ found and judged the changes.
import type { Change, Risk, RiskKind, Side } from '../model/change.ts'
import type { Review } from '../review/open-review.ts'
import { hunkHead, hunksOf, type Hunk } from '../review/hunks.ts'
import { contentOf } from '../review/tree.ts'
import { shownBytes, shownPath } from './bytes.ts'
import type { Style } from './style.ts'
import { size } from './units.ts'

export const riskTitles: Readonly<Record<RiskKind, string>> = {
  runs: 'runs on your machine',
  deceives: 'deceives',
  escapes: 'escapes',
  leaks: 'leaks',
  'supply-chain': 'supply chain',
}

/** Lines of one change, each without its line feed; a generator, because a proposal may be long. */
export function* diffLines(change: Change, review: Review, style: Style): Generator<string> {
  yield* headLines(change, review, style)
  if (change.binary || change.git === 'history') return
  for (const hunk of hunksOfChange(change, review)) yield* hunkLines(hunk, style)
}

/** What is said of a change before its hunks: name, kind, risks, and for what has no lines its size and hash. */
export function* headLines(change: Change, review: Review, style: Style): Generator<string> {
  yield style.bold(changeTitle(change, review))
  for (const risk of change.risks) yield style.warn(`  ! ${riskText(risk)}`)
  for (const note of notesOf(change)) yield style.dim(`  ${note}`)
  const from = change.before === undefined || change.before.kind === 'folder' ? '/dev/null' : `a/${shownPath(change.from ?? change.path)}`
  const to = change.after === undefined || change.after.kind === 'folder' ? '/dev/null' : `b/${shownPath(change.path)}`
  if (change.binary || !hasText(change)) return
  yield style.bold(`--- ${from}`)
  yield style.bold(`+++ ${to}`)
}

/** Text content on a side that differs: a file's or a link's. */
export function hasText(change: Change): boolean {
  if (change.git === 'history' || change.action === 'mode') return false
  const textual = (side: Side | undefined): boolean => side?.kind === 'file' || side?.kind === 'link'
  const hash = (side: Side | undefined): string => (side !== undefined && 'hash' in side ? side.hash : '')
  return (textual(change.before) || textual(change.after)) && hash(change.before) !== hash(change.after)
}

export function hunksOfChange(change: Change, review: Review): readonly Hunk[] {
  if (change.binary || !hasText(change)) return []
  const { before, after } = review.sidesOf(change)
  const text = (buffer: Buffer): string => buffer.toString('latin1')
  return hunksOf(text(contentOf(before, change.from ?? change.path, change.before)), text(contentOf(after, change.path, change.after)))
}

export function* hunkLines(hunk: Hunk, style: Style): Generator<string> {
  yield style.dim(hunkHead(hunk))
  for (const { kind, text } of hunk.lines) {
    const ended = text.endsWith('\n')
    const line = `${kind}${shownBytes(ended ? text.slice(0, -1) : text, { tabs: true })}`
    yield kind === '+' ? style.good(line) : kind === '-' ? style.bad(line) : line
    if (!ended) yield style.dim('\\ No newline at end of file')
  }
}

/** `modified src/a.ts`, `renamed a → b`, with the kind where it is no plain file. */
export function changeTitle(change: Change, review: Pick<Review, 'shown'>): string {
  const name = shownPath(review.shown(change))
  const what = change.after ?? change.before
  const kind = what === undefined || what.kind === 'file' ? '' : ` (${what.kind})`
  if (change.from !== undefined) return `renamed ${shownPath(review.shown({ root: change.root, path: change.from }))} → ${name}`
  return `${change.action === 'mode' ? 'mode of' : change.action === 'type' ? 'kind of' : change.action} ${name}${kind}`
}

export function riskText(risk: Risk): string {
  return `${riskTitles[risk.kind]}: ${shownPath(risk.reason)}${risk.line === undefined ? '' : ` (line ${risk.line})`}`
}

function notesOf(change: Change): readonly string[] {
  const { before, after } = change
  const modes = before !== undefined && after !== undefined && 'mode' in before && 'mode' in after && before.mode !== after.mode
  return [
    ...(modes ? [`mode ${octal(before.mode)} → ${octal(after.mode)}`] : []),
    ...(change.action === 'added' && after?.kind === 'file' && (after.mode & 0o111) !== 0 ? [`mode ${octal(after.mode)}`] : []),
    ...(before !== undefined && after !== undefined && before.kind !== after.kind ? [`${before.kind} → ${after.kind}`] : []),
    ...(after?.kind === 'link' ? [`link → ${shownPath(after.target)}`] : []),
    ...(change.linkedTo === undefined ? [] : [`another name of ${shownPath(change.linkedTo)}`]),
    ...(change.otherNames === undefined
      ? []
      : [
          `one of ${change.otherNames + 1} names of a file (hard links): ${change.otherNames === 1 ? 'the other keeps' : 'the others keep'} what it was`,
        ]),
    ...(change.binary ? [`binary: ${sized(before)} → ${sized(after)}`] : []),
    ...(change.git === 'history' ? ["git's own record: read as commits (anchorhold apply --commits), never copied"] : []),
  ]
}

function sized(side: Side | undefined): string {
  if (side?.kind !== 'file') return 'nothing'
  if (side.sparse === true) return `${size(side.size)}, nearly all holes`
  return side.hash === '' ? 'what it was is not known any more' : `${size(side.size)}, SHA-256 ${side.hash.slice(0, 16)}…`
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
