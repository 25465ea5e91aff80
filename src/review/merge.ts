// Three-way merge of texts, with conflicts in diff3's style (yours, the original, the agent's). Pure; texts are latin1 (see hunks.ts).
import { matchLines, type Match } from './edits.ts'
import { splitLines } from './hunks.ts'

export interface Merged {
  readonly text: string
  /** Places where both changed the same lines otherwise; 0: it merges cleanly. */
  readonly conflicts: number
}

export function mergeTexts(base: string, mine: string, theirs: string): Merged {
  const [o, a, b] = [base, mine, theirs].map(splitLines) as [readonly string[], readonly string[], readonly string[]]
  const stable = common(matchLines(o, a), matchLines(o, b), o.length, a.length, b.length)
  let text = ''
  let conflicts = 0
  let [atO, atA, atB] = [0, 0, 0]
  for (const each of stable) {
    const parts = [o.slice(atO, each.o), a.slice(atA, each.a), b.slice(atB, each.b)].map((lines) => lines.join('')) as [
      string,
      string,
      string,
    ]
    const [original, own, other] = parts
    if (own === other || other === original) text += own
    else if (own === original) text += other
    else {
      conflicts += 1
      text += marked(own, original, other)
    }
    text += o.slice(each.o, each.o + each.length).join('')
    atO = each.o + each.length
    atA = each.a + each.length
    atB = each.b + each.length
  }
  return { text, conflicts }
}

function marked(mine: string, original: string, theirs: string): string {
  const ended = (part: string): string => (part === '' || part.endsWith('\n') ? part : `${part}\n`)
  return `<<<<<<< yours\n${ended(mine)}||||||| before\n${ended(original)}=======\n${ended(theirs)}>>>>>>> proposed\n`
}

interface Stable {
  readonly o: number
  readonly a: number
  readonly b: number
  readonly length: number
}

/** Stretches of the original that are unchanged on both sides, and the end. */
function common(left: readonly Match[], right: readonly Match[], endO: number, endA: number, endB: number): readonly Stable[] {
  const found: Stable[] = []
  let index = 0
  for (const one of left) {
    for (; index < right.length; index += 1) {
      const two = right[index]
      if (two === undefined || two.a >= one.a + one.length) break
      const start = Math.max(one.a, two.a)
      const end = Math.min(one.a + one.length, two.a + two.length)
      if (end > start) found.push({ o: start, a: one.b + start - one.a, b: two.b + start - two.a, length: end - start })
      if (two.a + two.length > one.a + one.length) break
    }
  }
  return [...found, { o: endO, a: endA, b: endB, length: 0 }]
}
