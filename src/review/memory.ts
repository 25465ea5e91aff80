// What is remembered of a live run, so that `diff` and `undo` work on it: memory.json in the session's folder, made at the run's end from
// what was noted at its start (net.ts). There is no proposal then: the project itself holds the changes.
import type { BaseEntry, NodeFacts } from './proposal.ts'

/** Below `sessions/ID`: memory.json, memory.jsonl (one MemoryEntry a line), base/ (kept contents). */
export const memoryName = 'memory'

export interface Memory {
  readonly version: 1
  readonly session: string
  readonly project: string
  /** As in ProposalRun. */
  readonly startedNs: string
  readonly endedNs: string
  /** What kept the content of the start: git's objects, copies of small files, reflinks. In words, for the user. */
  readonly how: readonly string[]
  /** What could not be remembered, in words; empty where everything could. */
  readonly gaps: readonly string[]
}

/** A path of the project that changed during a live run: what it was (`state`, `facts`, `content` relative to the memory folder), what the run left. */
export interface MemoryEntry extends BaseEntry {
  /** At the end of the run; absent: deleted. The user's own later change is told by comparing the project with this. */
  readonly after?: NodeFacts
}
