// Adds to each change what the reader is told beside it: whether it is text, how many lines, which risks. Used by open-review.ts.
import type { Change, Risk } from '../model/change.ts'
import type { Sides } from './collect.ts'
import { countLines, hunksOf, splitLines } from './hunks.ts'
import { matchLines } from './edits.ts'
import { judgeChange } from './risk/judge.ts'
import type { Seen } from './risk/rule.ts'
import type { Known } from '../secrets/scan/finding.ts'
import { scanChanges, type Found } from './scanned.ts'
import { contentOf, isBinary, textLimit, unknownHash } from './tree.ts'

/** Contents of so many changes are read; of what comes after, the names are judged, and that its content was not is a risk of its own. */
const mostRead = 20_000
const unread: Risk = { kind: 'deceives', rule: 'unread', reason: `one of more than ${mostRead} changes: its content was not judged` }

/** @param want `lines`: also how many lines came and went; the end of a run needs risks only. `mine`: the reader's own values, which are looked for */
export async function inspect(
  changes: readonly Change[],
  sidesOf: (change: Change) => Sides,
  want: { readonly lines: boolean; readonly folder: string; readonly mine?: readonly Known[] | undefined },
): Promise<readonly Change[]> {
  const scanned = await scanChanges(changes, sidesOf, want.folder, want.mine)
  let read = 0
  return changes.map((change) => {
    if (change.git === 'history') return { ...change, risks: judgeChange(change, undefined) }
    const readable = read < mostRead && (change.action !== 'deleted' || want.lines)
    if (!readable)
      return { ...change, binary: false, risks: [...judgeChange(change, undefined), ...(change.action === 'deleted' ? [] : [unread])] }
    read += 1
    const found = change.after?.kind === 'file' ? (scanned.get(change.after.hash) ?? []) : []
    return look(change, sidesOf(change), found, want.lines)
  })
}

function look(change: Change, sides: Sides, found: readonly Found[], lines: boolean): Change {
  const before = contentOf(sides.before, change.from ?? change.path, change.before, textLimit)
  const after = contentOf(sides.after, change.path, change.after, textLimit)
  const unknown = [change.before, change.after].some((side) => side?.kind === 'file' && side.hash === unknownHash)
  const binary = unknown || isBinary(before) || isBinary(after) || before.length >= textLimit || after.length >= textLimit
  const texts = { before: before.toString('latin1'), after: after.toString('latin1') }
  const seen: Seen = {
    change,
    ...texts,
    binary,
    found,
    added: once(() => addedLines(texts)),
    siblings: once(() => siblingsOf(change, sides)),
  }
  const judged: Change = { ...change, binary, risks: judgeChange(change, seen) }
  return !lines || binary ? judged : { ...judged, lines: countLines(hunksOf(texts.before, texts.after, 0)) }
}

function addedLines({
  before,
  after,
}: {
  readonly before: string
  readonly after: string
}): readonly { readonly line: number; readonly text: string }[] {
  const lines = splitLines(after)
  const kept = new Set<number>()
  if (before !== '')
    for (const { b, length } of matchLines(splitLines(before), lines)) for (let at = 0; at < length; at += 1) kept.add(b + at)
  return lines.flatMap((line, index) =>
    kept.has(index)
      ? []
      : [
          {
            line: index + 1,
            text: Buffer.from(line, 'latin1')
              .toString('utf8')
              .replace(/\r?\n$/, ''),
          },
        ],
  )
}

function siblingsOf(change: Change, sides: Sides): readonly string[] {
  const folder = change.path.includes('/') ? change.path.slice(0, change.path.lastIndexOf('/')) : ''
  return sides.before.facts(folder)?.type === 'd' ? sides.before.list(folder) : []
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
