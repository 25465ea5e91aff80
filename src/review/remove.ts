// Takes the folders of a proposal away for good: with its session (`sessions prune`), or alone (`discard`, once its trash has expired).
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { isWithin } from '../host/paths.ts'
import { removeTree } from './entries.ts'
import { proposalFolder } from './folders.ts'
import { holderOf } from './lock.ts'
import { isDamaged, readProposal } from './record.ts'

/** Why a session's folder may not go: its proposal waits for the user, is in use, or (but where `damaged` ones may go) can't be read. */
export function waits(sessionFolder: string, damaged: boolean): string | undefined {
  const folder = proposalFolder(sessionFolder)
  const proposal = readProposal(folder)
  if (proposal === undefined) return !damaged && isDamaged(folder) ? `the record of its proposal is damaged (${folder})` : undefined
  if (holderOf(folder) !== undefined) return 'its proposal is in use'
  // Not counted yet: anchorhold was killed, and nobody has looked since.
  return proposal.state === 'open' && proposal.changes !== 0
    ? `its proposal waits (anchorhold apply ${proposal.id}, or anchorhold discard ${proposal.id})`
    : undefined
}

/** A session's folder with everything in it, also what its proposal keeps elsewhere. @throws Failure `review/unreadable` */
export async function removeSession(sessionFolder: string): Promise<void> {
  await removeProposal(proposalFolder(sessionFolder))
  await rm(sessionFolder, { recursive: true, force: true })
}

/** What a cell wrote may have permissions that keep its own owner out: the native helper removes it. */
export async function removeProposal(folder: string): Promise<void> {
  const proposal = readProposal(folder)
  const elsewhere = new Set(
    (proposal?.roots ?? []).map(({ upper }) => path.dirname(path.dirname(upper))).filter((place) => !isWithin(place, folder)),
  )
  for (const place of elsewhere) await removeTree(place)
  await removeTree(folder)
}
