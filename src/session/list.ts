// Finds sessions on disk: all, those of a project, one by id, prefix, name, or the newest. Damaged ones are said to be so.
import { lstatSync, readdirSync } from 'node:fs'
import { Failure } from '../errors/failure.ts'
import { liveness, machineMark } from '../host/liveness.ts'
import type { SessionRecord } from '../model/session.ts'
import { idPattern, sessionFolder, sessionsDir } from './folders.ts'
import { readRecord } from './record.ts'

export type Listed =
  | { readonly kind: 'session'; readonly id: string; readonly record: SessionRecord }
  | { readonly kind: 'damaged'; readonly id: string; readonly folder: string; readonly reason: string }

export interface ListOptions {
  /** Only those of this project (canonical path); damaged ones are left out then. */
  readonly project?: string
  /** Without the dry runs that are under way. */
  readonly ran?: boolean
  /** At most so many, the newest first. */
  readonly limit?: number
}

/** Newest first. A record that says 'running' while its process is gone is given as 'crashed' (as the next start will write). */
export function listSessions(stateDir: string, options: ListOptions = {}): readonly Listed[] {
  const here = machineMark()
  const found: Listed[] = []
  for (const id of sessionIds(stateDir)) {
    if (found.length >= (options.limit ?? Infinity)) break
    const listed = look(stateDir, id, here)
    const record = listed.kind === 'session' ? listed.record : undefined
    if (options.project !== undefined && record?.project !== options.project) continue
    if (options.ran !== true || record?.dryRun !== true) found.push(listed)
  }
  return found
}

/**
 * One session: by id, unique prefix of an id, or name (the newest of that name); without text the newest (of the project) that is no dry run.
 * @throws Failure session/none, session/unknown, session/ambiguous, session/damaged
 */
export function findSession(stateDir: string, text?: string, options: Pick<ListOptions, 'project'> = {}): SessionRecord {
  const here = machineMark()
  if (text === undefined || text === '') {
    const newest = listSessions(stateDir, { ...options, ran: true }).find((listed) => listed.kind === 'session')
    if (newest === undefined) throw new Failure('session/none', { where: options.project === undefined ? '' : ` of ${options.project}` })
    return newest.record
  }
  const ids = sessionIds(stateDir).filter((id) => id.startsWith(text))
  const exact = ids.find((id) => id === text)
  const [only, ...others] = exact === undefined ? ids : [exact]
  const named = () => listSessions(stateDir).find((listed) => listed.kind === 'session' && listed.record.name === text)
  const found = only !== undefined && others.length === 0 ? look(stateDir, only, here) : named()
  if (found !== undefined && found.kind === 'damaged') throw new Failure('session/damaged', { id: found.id, reason: found.reason })
  if (found !== undefined) return found.record
  if (only === undefined) throw new Failure('session/unknown', { text })
  throw new Failure('session/ambiguous', { text, count: ids.length, ids: ids.slice(0, 5).join(', ') + (ids.length > 5 ? ', …' : '') })
}

/** Ids, newest first. No state folder is no session. */
function sessionIds(stateDir: string): readonly string[] {
  try {
    return readdirSync(sessionsDir(stateDir))
      .filter((name) => idPattern.test(name))
      .sort()
      .toReversed()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new Failure(
      'session/state-unwritable',
      { path: stateDir, reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    )
  }
}

function look(stateDir: string, id: string, here: string): Listed {
  const folder = sessionFolder(stateDir, id)
  const isFolder = lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  const read = isFolder ? readRecord(folder) : ({ ok: false, reason: 'it is no folder' } as const)
  if (!read.ok) return { kind: 'damaged', id, folder, reason: read.reason }
  const { record } = read
  const gone = record.state === 'running' && liveness({ pid: record.pid, start: record.pidStart, machine: record.machine }, here) === 'gone'
  return { kind: 'session', id, record: gone ? { ...record, state: 'crashed' } : record }
}
