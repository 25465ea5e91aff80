// Removes old sessions: the retention of `anchorhold sessions prune`. Running ones and those that still hold files are kept.
import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { listSessions, type Listed } from './list.ts'

export interface PruneInput {
  readonly stateDir: string
  /** Sessions that ended before this instant. */
  readonly before: Date
  /** Also those that hold quarantined or held-back files. */
  readonly withFiles?: boolean
  /** Also those whose record can't be read. */
  readonly damaged?: boolean
  /** Why a session's folder must stay: a proposal in it waits. */
  readonly waits?: (folder: string) => string | undefined
  /** Removes a session's folder, where that takes more than `rm`. */
  readonly remove?: (folder: string) => Promise<void>
  /** Only tell. */
  readonly dryRun?: boolean
}

export interface Pruned {
  readonly removed: readonly string[]
  /** Old enough, but kept, with the reason. */
  readonly kept: readonly { readonly id: string; readonly reason: string }[]
}

/** Links inside a session are removed, never followed. */
export async function pruneSessions(input: PruneInput): Promise<Pruned> {
  const removed: string[] = []
  const kept: { id: string; reason: string }[] = []
  for (const listed of listSessions(input.stateDir)) {
    const verdict = judge(listed, input)
    if (verdict === 'young') continue
    if (verdict !== 'remove') kept.push({ id: listed.id, reason: verdict })
    else {
      const folder = listed.kind === 'session' ? listed.record.folder : listed.folder
      if (input.dryRun !== true) await (input.remove?.(folder) ?? rm(folder, { recursive: true, force: true }))
      removed.push(listed.id)
    }
  }
  return { removed, kept }
}

function judge(listed: Listed, input: PruneInput): string {
  const damaged = listed.kind === 'damaged'
  if (damaged && input.damaged !== true) return 'its record cannot be read (--damaged removes such ones)'
  if (listed.kind === 'session') {
    // Without an end it runs, or was killed and the next start has yet to sweep its project.
    const { endedAt } = listed.record
    if (endedAt === undefined || new Date(endedAt) >= input.before) return 'young'
  }
  const folder = listed.kind === 'session' ? listed.record.folder : listed.folder
  const waiting = input.waits?.(folder)
  if (waiting !== undefined) return waiting
  return input.withFiles !== true && holdsFiles(folder)
    ? 'it holds files taken out of the project (--with-files removes them too)'
    : 'remove'
}

/** Kept for diff and undo; whether they may go is not told by what lies in them. */
const ofReview: readonly string[] = ['proposal', 'memory']

/** Anything below another folder of the session is something that was kept for the user, but for the quarantine's own list. */
function holdsFiles(folder: string): boolean {
  const isFolder = (stat: Stats | undefined) => stat?.isDirectory() === true
  if (!isFolder(lstatSync(folder, { throwIfNoEntry: false }))) return false
  return readdirSync(folder, { withFileTypes: true }).some(
    (entry) => entry.isDirectory() && !ofReview.includes(entry.name) && hasFile(path.join(folder, entry.name)),
  )
}

function hasFile(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).some((entry) => !entry.isDirectory() && entry.name !== 'list.jsonl')
}
