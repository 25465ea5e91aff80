// Where a proposal's parts lie: in the folder of the session that began it, 0700. Pure.
import path from 'node:path'

/** Below `sessions/ID`. */
export const proposalName = 'proposal'

export interface ProposalPlaces {
  /** proposal.json */
  readonly record: string
  /** A symbolic link whose target is the mark of the process that uses the proposal now (lock.ts). */
  readonly lock: string
  /** base.jsonl: one BaseEntry a line. */
  readonly baseIndex: string
  /** Folder of kept base contents. */
  readonly base: string
  /** Of a copy: what was copied, one line each. */
  readonly manifest: string
}

/** @param folder `sessions/ID/proposal` */
export function proposalPlaces(folder: string): ProposalPlaces {
  return {
    record: path.join(folder, 'proposal.json'),
    lock: path.join(folder, 'lock'),
    baseIndex: path.join(folder, 'base.jsonl'),
    base: path.join(folder, 'base'),
    manifest: path.join(folder, 'manifest.jsonl'),
  }
}

export function proposalFolder(sessionFolder: string): string {
  return path.join(sessionFolder, proposalName)
}
