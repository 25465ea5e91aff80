// What the agent changed, one path at a time, with what it may do to the reader's machine. Made by review/, shown by report/.

/** Stable names, as `anchorhold diff --json` gives them. */
export type RiskKind = 'runs' | 'deceives' | 'escapes' | 'leaks' | 'supply-chain'

export interface Risk {
  readonly kind: RiskKind
  /** The rule that found it (stable). */
  readonly rule: string
  /** One sentence; of `runs` it says when. May hold text of the agent's: shown through report/text.ts only. */
  readonly reason: string
  /** Where it was found: a 1-based line of the new content. */
  readonly line?: number
}

/**
 * One side of a change. `hash` is SHA-256 of the content (of a link: of its target), in hex; empty where that is not known.
 * `sparse`: more than a gigabyte of it are holes, and nobody reads those.
 */
export type Side =
  | { readonly kind: 'file'; readonly mode: number; readonly size: number; readonly hash: string; readonly sparse?: true }
  | { readonly kind: 'link'; readonly target: string; readonly hash: string }
  | { readonly kind: 'folder'; readonly mode: number }
  | { readonly kind: 'fifo' | 'socket' | 'device'; readonly mode: number }

/** Git's own files, which no diff of git's shows. `history` are objects, references and the index: never applied as files. */
export type GitPart = 'history' | 'hooks' | 'config' | 'other'

export type Action = 'added' | 'deleted' | 'modified' | 'mode' | 'renamed' | 'type'

export interface Change {
  /** Index into the proposal's roots; 0 is the project. */
  readonly root: number
  /** Relative to the root; bytes that are no UTF-8 stand as lone surrogates (workspace/path-bytes.ts). */
  readonly path: string
  readonly action: Action
  /** Of a rename: where it was. */
  readonly from?: string
  readonly before?: Side
  readonly after?: Side
  /** A further name of a changed file (hard link): the first one. */
  readonly linkedTo?: string
  /** How many further names the file had in the project (hard links): they keep what it was. */
  readonly otherNames?: number
  readonly git?: GitPart
  /** Lines, where both sides are text of a bearable size. */
  readonly lines?: { readonly added: number; readonly deleted: number }
  readonly binary: boolean
  /** Set-user-ID and set-group-ID bits and extended attributes by name, which are never applied. */
  readonly dropped?: readonly string[]
  readonly risks: readonly Risk[]
}
