// A proposal: what a run in `--workspace review` changed, waiting for the user. proposal.json in the folder of the session that began it.
// Written by view.ts and settle.ts; read by diff, apply, undo, discard (find.ts gives them the proposal, upper.ts and base.ts its content).

/** `overlay`: `upper` holds changes only. `copy`: `upper` is a whole copy, compared with `manifestFile` (upper.ts does it). */
export type ViewKind = 'overlay' | 'copy'

/** `applied`: nothing of it waits any more. A proposal that was applied in part stays open. */
export type ProposalState = 'open' | 'applied' | 'discarded'

/** One folder of the host that the cell saw copy-on-write. Paths absolute and canonical. */
export interface ProposalRoot {
  /** The real folder. */
  readonly path: string
  /** `project` is the first root, always; `git`: the git-dir of a linked work tree or submodule; `mount`: a writable mount of the policy. */
  readonly purpose: 'project' | 'git' | 'mount'
  /** Where the changes lie. Never to be followed through a link: whatever the cell could write lies here. */
  readonly upper: string
  /** overlayfs's own (overlay only). */
  readonly work?: string
  /** Where the overlay is mounted in the cell's supervisor: an empty folder on the host (overlay only). */
  readonly view?: string
}

/** One run of the cell on the view. Times are of the kernel's real-time clock, nanoseconds, as decimal text. */
export interface ProposalRun {
  readonly session: string
  /** What has a ctime before this was so before the run began: a ctime can't be set (inode(7)). */
  readonly startedNs: string
  /** Absent while it runs, or where it was killed. */
  readonly endedNs?: string
}

export interface Proposal {
  readonly version: 1
  /** Id of the session that began it; `ID/proposal` is its folder. */
  readonly id: string
  readonly project: string
  /** ISO 8601, UTC. */
  readonly created: string
  readonly kind: ViewKind
  /** Why it is no overlay, in words; absent for an overlay. */
  readonly because?: string
  readonly state: ProposalState
  readonly roots: readonly ProposalRoot[]
  /** Earliest first; `--continue` adds one. */
  readonly runs: readonly ProposalRun[]
  /** Absolute paths that were empty inside (secrets): the agent never saw them; a change at one of them is not theirs to overwrite. */
  readonly hidden: readonly string[]
  /** Counted at the end of the last run that ended; absent before. */
  readonly changes?: number
}

/** What lies at a path: file, directory, symbolic link, pipe, socket, character or block device. */
export type NodeType = 'f' | 'd' | 'l' | 'p' | 's' | 'c' | 'b'

/** What lstat(2) says; times in nanoseconds as decimal text, because they don't fit a number. */
export interface NodeFacts {
  readonly type: NodeType
  /** Permission bits with setuid, setgid and sticky: 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
  readonly ino: string
  readonly dev: string
  readonly nlink: number
  /** Of a link only: where it points, as path-bytes.ts spells it. */
  readonly target?: string
}

/** One entry of a root's changes, as it lies in the upper folder. Parents come before what lies in them. */
export interface UpperEntry {
  /** Index into `Proposal.roots`. */
  readonly root: number
  /** Relative to the root, as path-bytes.ts spells it; '' is the root itself (its mode may have changed). */
  readonly path: string
  /**
   * `node`: something lies there now, see `facts`. A folder with `opaque` hides everything the real folder holds; without, the real folder's
   * other entries stay. `whiteout`: the real path was deleted. A renamed folder is a whiteout and an opaque folder: redirects don't occur.
   */
  readonly kind: 'node' | 'whiteout'
  readonly opaque: boolean
  /** Of a whiteout: what the marker looks like. */
  readonly facts: NodeFacts
  /** Bytes on disk. */
  readonly bytes: number
  /** Extended attributes other than overlayfs's own, by name (security.capability, user.x, system.posix_acl_access). */
  readonly attributes: readonly string[]
}

/** What the real path was when the agent's first change to it began. One per changed path, kept in base.jsonl (base.ts). */
export interface BaseEntry {
  readonly root: number
  readonly path: string
  /**
   * `absent`: nothing was there. `same`: `facts` are those of the start, and a file's content lies in the proposal at `content`.
   * `lost`: the user changed it while the run went on, and what it was is not known; `facts` are those at the look, absent where it is gone.
   */
  readonly state: 'absent' | 'same' | 'lost'
  readonly facts?: NodeFacts
  /** Relative to the proposal's folder; of files only. Absent where the file was too large to keep (then `facts` alone tell). */
  readonly content?: string
}
