// What is remembered of a live run, so that `diff` and `undo` work on it: noted at its start by net.ts, read by remembered.ts. There is no
// proposal then: the project itself holds the changes.
import type { BaseEntry, NodeFacts } from './proposal.ts'

/** Below `sessions/ID`: memory.json, git (a git-dir of anchorhold's own), base (contents taken out of it). */
export const memoryName = 'memory'

export interface Memory {
  readonly version: 1
  readonly session: string
  readonly project: string
  /** As in ProposalRun. */
  readonly startedNs: string
  readonly endedNs: string
  /** What kept the content of the start, in words, for the user; empty where nothing did. */
  readonly how: readonly string[]
  /** What was not remembered, in words. */
  readonly gaps: readonly string[]
  /** What these were is not known: changed while the start was being noted, too large, or (with a slash at the end) a repository of its own. */
  readonly lost: readonly string[]
}

/**
 * A path that differs from what it was when the live run began; `content` is relative to the memory folder. Of `facts` only type, mode, size
 * and mtime are known.
 */
export interface MemoryEntry extends BaseEntry {
  /** What lies there now; absent: nothing does. */
  readonly now?: NodeFacts
  /** It was changed after the run had ended: by the user, maybe after the agent. Not to be undone unasked. */
  readonly later: boolean
}
