// proposal.json: written whole and at once, read with suspicion. Neighbours: find.ts looks for it, view.ts begins it.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isWithin } from '../host/paths.ts'
import { proposalPlaces } from './folders.ts'
import type { Proposal, ProposalRoot } from './proposal.ts'

/** Replaces the record; a crash leaves the old one or the new one. */
export function writeProposal(folder: string, proposal: Proposal): void {
  const { record } = proposalPlaces(folder)
  const beside = `${record}.${process.pid}`
  const roots = proposal.roots.map((root) => mapPlaces(root, (place) => (isWithin(place, folder) ? path.relative(folder, place) : place)))
  writeFileSync(beside, `${JSON.stringify({ ...proposal, roots }, undefined, 1)}\n`, { mode: 0o600, flag: 'w' })
  renameSync(beside, record)
}

/** Whether something was recorded there that can't be understood. */
export function isDamaged(folder: string): boolean {
  return existsSync(proposalPlaces(folder).record) && readProposal(folder) === undefined
}

/** Undefined where there is none, or none that can be understood. */
export function readProposal(folder: string): Proposal | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(proposalPlaces(folder).record, 'utf8'))
    if (!isProposal(parsed)) return undefined
    // The folder it was found in is the truth: a state folder may have been moved.
    return { ...parsed, roots: parsed.roots.map((root) => mapPlaces(root, (place) => path.resolve(folder, place))) }
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

function mapPlaces(root: ProposalRoot, map: (place: string) => string): ProposalRoot {
  const { upper, work, view } = root
  return {
    ...root,
    upper: map(upper),
    ...(work === undefined ? {} : { work: map(work) }),
    ...(view === undefined ? {} : { view: map(view) }),
  }
}

/** The file is anchorhold's own, in a folder of its own: its shape is looked at, so that a cut or older one is none. */
function isProposal(value: unknown): value is Proposal {
  if (typeof value !== 'object' || value === null) return false
  const proposal = value as Partial<Record<keyof Proposal, unknown>>
  return (
    proposal.version === 1 &&
    typeof proposal.id === 'string' &&
    typeof proposal.project === 'string' &&
    (proposal.kind === 'overlay' || proposal.kind === 'copy') &&
    (proposal.state === 'open' || proposal.state === 'applied' || proposal.state === 'discarded') &&
    Array.isArray(proposal.roots) &&
    proposal.roots.length > 0 &&
    Array.isArray(proposal.runs) &&
    Array.isArray(proposal.hidden)
  )
}
