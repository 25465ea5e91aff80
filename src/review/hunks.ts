// The differences of two texts as hunks with their context, and a text made from some of them. Pure; texts are latin1 strings, so that every
// byte stands for itself. Shown by report/diff.ts, written by patch/, picked in commands/apply-ask.ts.
import { matchLines } from './edits.ts'

export type HunkLine = { readonly kind: ' ' | '-' | '+'; /** With its line feed, where it has one. */ readonly text: string }

export interface Hunk {
  /** 0-based: the first line, of the old and of the new text. */
  readonly oldStart: number
  readonly newStart: number
  readonly oldCount: number
  readonly newCount: number
  readonly lines: readonly HunkLine[]
}

/** Lines with their ends; the last may have none. */
export function splitLines(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

interface Edit {
  readonly a: number
  readonly endA: number
  readonly b: number
  readonly endB: number
}

function editsOf(a: readonly string[], b: readonly string[]): readonly Edit[] {
  const edits: Edit[] = []
  let atA = 0
  let atB = 0
  for (const { a: x, b: y, length } of [...matchLines(a, b), { a: a.length, b: b.length, length: 0 }]) {
    if (x > atA || y > atB) edits.push({ a: atA, endA: x, b: atB, endB: y })
    atA = x + length
    atB = y + length
  }
  return edits
}

/** Hunks in order; edits whose contexts touch are one hunk. */
export function hunksOf(before: string, after: string, context: number = 3): readonly Hunk[] {
  const a = splitLines(before)
  const b = splitLines(after)
  const groups: Edit[][] = []
  for (const edit of editsOf(a, b)) {
    const last = groups.at(-1)?.at(-1)
    if (last !== undefined && edit.a - last.endA <= 2 * context) groups.at(-1)?.push(edit)
    else groups.push([edit])
  }
  return groups.map((group) => hunkOf(a, b, group, context))
}

function hunkOf(a: readonly string[], b: readonly string[], group: readonly Edit[], context: number): Hunk {
  const first = group[0] ?? { a: 0, endA: 0, b: 0, endB: 0 }
  const last = group.at(-1) ?? first
  const lead = Math.min(context, first.a)
  const oldStart = first.a - lead
  const oldEnd = Math.min(a.length, last.endA + context)
  const lines: HunkLine[] = []
  let at = oldStart
  const push = (kind: HunkLine['kind'], from: readonly string[], start: number, end: number): void => {
    for (let index = start; index < end; index += 1) lines.push({ kind, text: from[index] ?? '' })
  }
  for (const edit of group) {
    push(' ', a, at, edit.a)
    push('-', a, edit.a, edit.endA)
    push('+', b, edit.b, edit.endB)
    at = edit.endA
  }
  push(' ', a, at, oldEnd)
  const count = (not: string): number => lines.filter(({ kind }) => kind !== not).length
  return { oldStart, newStart: first.b - lead, oldCount: count('+'), newCount: count('-'), lines }
}

/** Smaller hunks of one: cut wherever unchanged lines stand between changes. A single one where there is nothing to cut. */
export function splitHunk(hunk: Hunk): readonly Hunk[] {
  const parts: { start: number; end: number }[] = []
  for (const [index, { kind }] of hunk.lines.entries()) {
    if (kind === ' ') continue
    const last = parts.at(-1)
    if (last !== undefined && last.end === index) last.end = index + 1
    else parts.push({ start: index, end: index + 1 })
  }
  if (parts.length < 2) return [hunk]
  return parts.map((_, number) => {
    const from = number === 0 ? 0 : (parts[number - 1]?.end ?? 0)
    const to = number === parts.length - 1 ? hunk.lines.length : (parts[number + 1]?.start ?? hunk.lines.length)
    const before = hunk.lines.slice(0, from)
    const lines = hunk.lines.slice(from, to)
    const count = (among: readonly HunkLine[], not: string): number => among.filter(({ kind }) => kind !== not).length
    return {
      oldStart: hunk.oldStart + count(before, '+'),
      newStart: hunk.newStart + count(before, '-'),
      oldCount: count(lines, '+'),
      newCount: count(lines, '-'),
      lines,
    }
  })
}

/** The old text with these hunks taken; they are hunks of it, in any order, that share context at most. */
export function takeHunks(before: string, hunks: readonly Hunk[]): string {
  const old = splitLines(before)
  let at = 0
  let text = ''
  for (const hunk of hunks.toSorted((x, y) => x.oldStart - y.oldStart)) {
    let line = hunk.oldStart
    for (const { kind, text: own } of hunk.lines) {
      if (kind === '+') {
        text += old.slice(at, line).join('') + own
        at = Math.max(at, line)
      } else {
        if (kind === '-') {
          text += old.slice(at, line).join('')
          at = line + 1
        }
        line += 1
      }
    }
  }
  return text + old.slice(at).join('')
}

/** `@@ -1,3 +1,4 @@`, as POSIX diff writes it. */
export function hunkHead(hunk: Hunk): string {
  const range = (start: number, count: number): string => {
    const from = count === 0 ? start : start + 1
    return count === 1 ? `${from}` : `${from},${count}`
  }
  return `@@ -${range(hunk.oldStart, hunk.oldCount)} +${range(hunk.newStart, hunk.newCount)} @@`
}

export function countLines(hunks: readonly Hunk[]): { readonly added: number; readonly deleted: number } {
  const count = (wanted: string): number => hunks.reduce((sum, { lines }) => sum + lines.filter(({ kind }) => kind === wanted).length, 0)
  return { added: count('+'), deleted: count('-') }
}
