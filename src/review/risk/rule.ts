// What a rule of the review is. Rules are data: names.ts, dependencies.ts and their like hold them, judge.ts asks them. A rule never reads a file
// itself and never runs anything of the project.
import type { Change, Risk, RiskKind } from '../../model/change.ts'

/** A name that somebody's program obeys. Matches the path, or a folder on the way, in any case of letters. */
export interface NameRule {
  readonly id: string
  readonly kind: RiskKind
  /** `name` at any depth, `/name` at the top only, `a/b` a folder with its content at any depth; `*` is any text within one name. */
  readonly names: readonly string[]
  /** When it runs, or what it does: follows "runs on your machine" or stands alone. */
  readonly reason: string
  /** Where this is known from. */
  readonly source: string
}

/** What a detector is shown of one change. Texts are latin1 (a byte a character) and cut at the review's limit for text. */
export interface Seen {
  readonly change: Change
  readonly before: string
  readonly after: string
  /** Whether one of them is no text. */
  readonly binary: boolean
  /** New or changed lines of the new side, decoded as UTF-8, with their 1-based numbers. Computed once, when first asked for. */
  readonly added: () => readonly { readonly line: number; readonly text: string }[]
  /** Credentials in the new content (scanned.ts). */
  readonly found: readonly { readonly name: string; readonly line: number; readonly mine?: true }[]
  /** Names in the folder that the path lies in, as the host has them. */
  readonly siblings: () => readonly string[]
}

export interface Detector {
  readonly id: string
  readonly kind: RiskKind
  readonly source: string
  /** Where given: only for these names (as in NameRule). */
  readonly names?: readonly string[]
  readonly detect: (seen: Seen) => readonly Omit<Risk, 'kind' | 'rule'>[]
}

/** One expression for many names. */
export function namesPattern(names: readonly string[]): RegExp {
  const alternatives = names.map((name) => {
    const body = name
      .replace(/^\//, '')
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
    return `${name.startsWith('/') ? '^' : '(?:^|/)'}${body}(?:/|$)`
  })
  return new RegExp(alternatives.join('|'), 'i')
}
