// Discarded proposals: they stay where they are for a week, marked with the day; then whoever discards or prunes next removes their content.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { FoundProposal } from './find.ts'
import { listProposals } from './find.ts'
import { holderOf } from './lock.ts'
import { removeProposal } from './remove.ts'
import { closeWhenEmpty } from './state.ts'
import { writeProposal } from './record.ts'

const week = 7 * 86_400_000

/** The caller holds the proposal. */
export function trash({ proposal, folder }: FoundProposal, now: number = Date.now()): void {
  writeFileSync(noteOf(folder), new Date(now).toISOString(), { mode: 0o600 })
  writeProposal(folder, { ...proposal, state: 'discarded' })
}

/** Open again, or applied where nothing of it waited. The caller holds the proposal. */
export async function untrash({ proposal, folder }: FoundProposal): Promise<void> {
  writeProposal(folder, { ...proposal, state: 'open' })
  rmSync(noteOf(folder), { force: true })
  await closeWhenEmpty({ folder })
}

/** Removes what was discarded more than a week ago. */
export async function emptyTrash(stateDir: string, now: number = Date.now()): Promise<void> {
  for (const { proposal, folder } of listProposals(stateDir)) {
    if (proposal.state !== 'discarded' || holderOf(folder) !== undefined) continue
    const since = existsSync(noteOf(folder)) ? Date.parse(readFileSync(noteOf(folder), 'utf8')) : Number.NaN
    if (now - since > week) await removeProposal(folder)
  }
}

function noteOf(folder: string): string {
  return path.join(folder, 'discarded')
}
