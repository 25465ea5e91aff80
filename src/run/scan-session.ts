// What a session left is scanned for secrets: the files it changed, its transcript (what the agent's home got), what was taken away, its journal.
// Its placeholders look like credentials: the end of a run keeps them beside the journal, so that they are not taken for some.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { SessionRecord } from '../model/session.ts'
import { proposalOf } from '../review/find.ts'
import type { Scan } from '../secrets/scan/scan.ts'
import { scanPath, together, type Walked, type WalkOptions } from '../secrets/scan/walk.ts'
import { journalFile } from '../session/folders.ts'
import { homeName } from './home.ts'
import { placeholdersName } from './scan-written.ts'

/**
 * In a review what lies in the view; else every file of the project whose ctime is not before the session: a ctime can't be set (inode(7)).
 * Findings in the project are told by their path there; others begin with `home:`, `quarantine:` and `journal:`.
 */
export async function scanSession(
  record: SessionRecord,
  folders: { readonly state: string; readonly data: string },
  scan: Scan,
  onFile?: (files: number) => void,
): Promise<Walked> {
  const since = Date.parse(record.startedAt)
  const recent: WalkOptions = { wanted: (_file, changedAt) => changedAt >= since, ...(onFile === undefined ? {} : { onFile }) }
  const parts: Walked[] = []
  const add = async (place: string, options: WalkOptions): Promise<void> => {
    if (existsSync(place)) parts.push(await scanPath(place, scan, options))
  }
  for (const { place, label } of changedPlaces(record, folders.state)) await add(place, { ...recent, label })
  await add(path.join(folders.data, 'homes', record.agent, homeName(record.project)), { ...recent, label: 'home:' })
  await add(path.join(record.folder, 'quarantine'), { label: 'quarantine:' })
  await add(journalFile(record.folder), { label: 'journal:' })
  return together(parts)
}

/** Of sessions that had secrets and wrote something. */
export function placeholdersOf(sessionFolder: string): readonly string[] {
  const file = path.join(sessionFolder, placeholdersName)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

function changedPlaces(record: SessionRecord, stateDir: string): readonly { readonly place: string; readonly label: string }[] {
  const found = proposalOf(stateDir, record)
  if (found === undefined) return [{ place: record.project, label: '' }]
  return found.proposal.roots.map(({ upper, path: root, purpose }) => ({ place: upper, label: purpose === 'project' ? '' : root }))
}
