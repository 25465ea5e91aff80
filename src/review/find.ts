// Finds proposals on disk: the project's newest, all of a project, or the one that a session began or went on with.
import { Failure } from '../errors/failure.ts'
import { findSession, listSessions } from '../session/list.ts'
import { sessionFolder } from '../session/folders.ts'
import type { SessionRecord } from '../model/session.ts'
import { proposalFolder, proposalPlaces } from './folders.ts'
import { isDamaged, readProposal } from './record.ts'
import type { Proposal } from './proposal.ts'

export interface FoundProposal {
  readonly proposal: Proposal
  /** `sessions/ID/proposal`. */
  readonly folder: string
}

/**
 * By id, prefix or name of a session that worked on it (as `anchorhold sessions` takes them); without text the newest open one of the project in which something changed.
 * @throws Failure `review/none`, and those of findSession
 */
export function findProposal(stateDir: string, text: string | undefined, project: string): FoundProposal {
  if (text === undefined || text === '') {
    const open = listProposals(stateDir, project).filter(({ proposal }) => proposal.state === 'open')
    // A run that changed nothing left nothing to read.
    const newest = open.find(({ proposal }) => proposal.changes !== 0) ?? open[0]
    if (newest !== undefined) return newest
    for (const listed of listSessions(stateDir, { project })) if (listed.kind === 'session') refuseDamaged(stateDir, listed.record)
    throw new Failure('review/none', { where: `of ${project} waits` })
  }
  const record = findSession(stateDir, text)
  const found = proposalOf(stateDir, record)
  if (found !== undefined) return found
  refuseDamaged(stateDir, record)
  throw new Failure('review/none', { where: `belongs to session ${record.id}` })
}

function refuseDamaged(stateDir: string, record: SessionRecord): void {
  const folder = folderOf(stateDir, record)
  if (!isDamaged(folder)) return
  const { record: path } = proposalPlaces(folder)
  throw new Failure('review/damaged', { id: record.proposal ?? record.id, path, upper: `${folder}/roots/0/upper` })
}

/** Where the proposal would lie that a session began, or went on with. */
function folderOf(stateDir: string, record: SessionRecord): string {
  return proposalFolder(record.proposal === undefined ? record.folder : sessionFolder(stateDir, record.proposal))
}

/** What a session began or went on with; undefined where it ran without review. */
export function proposalOf(stateDir: string, record: SessionRecord): FoundProposal | undefined {
  const folder = folderOf(stateDir, record)
  const proposal = readProposal(folder)
  return proposal === undefined ? undefined : { proposal, folder }
}

/** In every state, the newest first. */
export function listProposals(stateDir: string, project?: string): readonly FoundProposal[] {
  const found = listSessions(stateDir, project === undefined ? {} : { project }).flatMap((listed) => {
    if (listed.kind !== 'session') return []
    const folder = proposalFolder(listed.record.folder)
    const proposal = readProposal(folder)
    return proposal === undefined ? [] : [{ proposal, folder }]
  })
  // Ids tell seconds; two may be of the same one.
  return found.toSorted((a, b) => (a.proposal.created < b.proposal.created ? 1 : a.proposal.created > b.proposal.created ? -1 : 0))
}
