// Asks for each change, or each hunk, as `git add -p` does. Nothing is written here: what was chosen is applied in one go afterwards.
import type { Change } from '../model/change.ts'
import { changeTitle, diffLines, headLines, hunkLines, hunksOfChange } from '../report/diff.ts'
import { shownPath } from '../report/bytes.ts'
import type { Style } from '../report/style.ts'
import { judgeAll, type Choice, type LeftOut } from '../review/apply/choose.ts'
import type { Verdict } from '../review/apply/judge.ts'
import type { Chosen } from '../review/apply/stage.ts'
import { hunksOf, splitHunk, takeHunks, type Hunk } from '../review/hunks.ts'
import { isRisky, type Review } from '../review/open-review.ts'
import type { Selected } from '../review/select.ts'
import { contentOf } from '../review/tree.ts'
import type { Asker } from './ask.ts'

export interface AskInput {
  readonly review: Review
  readonly selected: Selected
  /** Straight to the hunks of each text. */
  readonly hunks: boolean
  /** Ask only for what needs eyes or is in conflict. */
  readonly all: boolean
  readonly asker: Asker
  readonly show: (line: string) => void
  readonly style: Style
}

const letters = {
  y: 'apply this change',
  n: 'leave it for later',
  h: 'choose among its hunks',
  a: 'apply this and everything after it that needs no look',
  d: 'leave this and everything after it',
  q: 'stop; what you said yes to is applied',
} as const

export async function askForEach(input: AskInput): Promise<Choice> {
  const { review, selected, show, style, asker } = input
  const chosen: Chosen[] = []
  const leftOut: LeftOut[] = []
  const there: Change[] = []
  let rest: 'ask' | 'take' | 'leave' = input.all ? 'take' : 'ask'
  const judged = judgeAll(review, selected.changes)
  for (const [index, { change, verdict }] of judged.entries()) {
    const leave = (kind: LeftOut['kind'], reason: string): void => void leftOut.push({ change, reason, kind })
    if (verdict.kind === 'there') there.push(change)
    else if (verdict.kind === 'refused') {
      if (change.git !== 'history') leave('refused', verdict.reason)
    } else if (rest === 'leave') leave(isRisky(change) ? 'risk' : 'conflict', 'you left it')
    else if (verdict.kind === 'conflict') {
      const merged = await askConflict(input, change, verdict)
      if (merged === undefined) leftOut.push({ change, reason: verdict.reason, kind: 'conflict' })
      else chosen.push({ change, text: merged, now: { side: verdict.now } })
    } else if (rest === 'take' && !isRisky(change)) chosen.push({ change, now: { side: verdict.now } })
    else {
      show('')
      const byHunk = input.hunks && hunksOfChange(change, review).length > 0
      const lines = byHunk ? headLines(change, review, style) : diffLines(change, review, style)
      for (const line of lines) show(line)
      const answer = byHunk
        ? 'h'
        : await asker.ask(
            style.bold(`(${index + 1}/${judged.length}) Apply ${shownPath(review.shown(change))}?`),
            offered(change, review),
            'd',
          )
      if (answer === 'y' || answer === 'a') chosen.push({ change, now: { side: verdict.now } })
      else if (answer === 'h') {
        const picked = await askHunks(input, change)
        if (picked.text !== undefined) chosen.push({ change, now: { side: verdict.now }, ...(picked.whole ? {} : { text: picked.text }) })
        if (!picked.whole) leave('conflict', picked.text === undefined ? 'you left it' : 'you left some of its hunks')
        if (picked.stop) rest = 'leave'
      } else leave(isRisky(change) ? 'risk' : 'conflict', 'you left it')
      if (answer === 'a') rest = 'take'
      if (answer === 'd' || answer === 'q') rest = 'leave'
    }
  }
  return { chosen, leftOut, there }
}

function offered(change: Change, review: Review): Readonly<Record<string, string>> {
  const { h: _, ...without } = letters
  return hunksOfChange(change, review).length > 1 || splittable(change, review) ? letters : without
}

function splittable(change: Change, review: Review): boolean {
  const [only] = hunksOfChange(change, review)
  return only !== undefined && splitHunk(only).length > 1
}

interface Picked {
  /** What the file shall be; undefined where no hunk was taken. */
  readonly text?: string
  readonly whole: boolean
  readonly stop: boolean
}

async function askHunks({ review, asker, show, style }: AskInput, change: Change): Promise<Picked> {
  const before = contentOf(review.sidesOf(change).before, change.from ?? change.path, change.before).toString('latin1')
  const waiting: Hunk[] = [...hunksOfChange(change, review)]
  const taken: Hunk[] = []
  let skipped = 0
  let rest: 'ask' | 'take' | 'leave' = 'ask'
  let stop = false
  for (let hunk = waiting.shift(); hunk !== undefined; hunk = waiting.shift()) {
    if (rest !== 'ask') {
      if (rest === 'take') taken.push(hunk)
      else skipped += 1
      continue
    }
    for (const line of hunkLines(hunk, style)) show(line)
    const parts = splitHunk(hunk)
    const answer = await asker.ask(style.bold(`Apply this hunk of ${shownPath(review.shown(change))}?`), hunkLetters(parts.length > 1), 'q')
    if (answer === 's') waiting.unshift(...parts)
    else if (answer === 'y' || answer === 'a') taken.push(hunk)
    else skipped += 1
    if (answer === 'a') rest = 'take'
    if (answer === 'd' || answer === 'q') rest = 'leave'
    stop = answer === 'q'
  }
  if (taken.length === 0) return { whole: false, stop }
  return { text: takeHunks(before, taken), whole: skipped === 0, stop }
}

function hunkLetters(canSplit: boolean): Readonly<Record<string, string>> {
  return {
    y: 'apply this hunk',
    n: 'leave it',
    a: 'apply this and all later hunks of the file',
    d: 'leave this and all later hunks of the file',
    ...(canSplit ? { s: 'split it into smaller ones' } : {}),
    q: 'stop; what you said yes to is applied',
  }
}

/** The two changes as one, for the user to take or to leave; a conflict is shown and left. */
async function askConflict(
  { review, asker, show, style, all }: AskInput,
  change: Change,
  verdict: Extract<Verdict, { kind: 'conflict' }>,
): Promise<string | undefined> {
  show('')
  show(style.bold(changeTitle(change, review)))
  show(style.warn(`  ${verdict.reason}`))
  for (const line of mergeLines(change, verdict, review, style)) show(line)
  if (verdict.merged === undefined || verdict.merged.conflicts > 0 || all) return undefined
  const answer = await asker.ask(
    style.bold(`Apply the two together to ${shownPath(review.shown(change))}?`),
    { y: 'write the merge', n: 'leave your file as it is' },
    'n',
  )
  return answer === 'y' ? verdict.merged.text : undefined
}

/** Where both are text, the two as three-way merge. */
export function* mergeLines(change: Change, { merged }: Pick<LeftOut, 'merged'>, review: Review, style: Style): Generator<string> {
  if (merged === undefined) return
  yield style.dim(
    merged.conflicts === 0
      ? '  the two changes merge cleanly:'
      : `  the two changes meet in ${merged.conflicts} place${merged.conflicts === 1 ? '' : 's'}:`,
  )
  const before = contentOf(review.sidesOf(change).before, change.from ?? change.path, change.before).toString('latin1')
  for (const hunk of hunksOf(before, merged.text)) yield* hunkLines(hunk, style)
}
