// The end of a run on a view: what changed is counted, what it was is noted. Done by view.ts, or later by whoever reads the proposal first
// where anchorhold was killed. Neighbours: upper.ts, base.ts.
import { baseKey, settleBase } from './base.ts'
import type { BaseEntry, Proposal, UpperEntry } from './proposal.ts'
import { writeProposal } from './record.ts'
import { readUpper } from './upper.ts'

export interface Settled {
  readonly proposal: Proposal
  readonly upper: readonly UpperEntry[]
  readonly base: ReadonlyMap<string, BaseEntry>
}

/** Reads a proposal and notes what is not noted yet. The caller holds it (lock.ts). @throws Failure `review/unreadable` */
export async function settleProposal(proposal: Proposal, folder: string): Promise<Settled> {
  const upper = await readUpper(proposal, folder)
  const base = await settleBase(proposal, folder, upper)
  const last = proposal.runs.at(-1)
  const runs =
    last === undefined || last.endedNs !== undefined ? proposal.runs : [...proposal.runs.slice(0, -1), { ...last, endedNs: nowNs() }]
  // What was counted by content at the end of the run is the better count.
  const counted = runs === proposal.runs ? proposal.changes : undefined
  const settled = { ...proposal, runs, changes: counted ?? countChanges(upper, base) }
  if (settled.runs !== proposal.runs || settled.changes !== proposal.changes) writeProposal(folder, settled)
  return { proposal: settled, upper, base }
}

/** Folders that are there only because something in them changed are none; a deleted folder is one. A rough count: contents aren't compared. */
function countChanges(upper: readonly UpperEntry[], base: ReadonlyMap<string, BaseEntry>): number {
  return upper.filter((entry) => {
    if (entry.path === '') return false
    const before = base.get(baseKey(entry))
    if (entry.kind === 'whiteout') return before?.state !== 'absent'
    return entry.facts.type !== 'd' || entry.opaque || before?.state === 'absent'
  }).length
}

export function nowNs(): string {
  return `${Date.now()}000000`
}
