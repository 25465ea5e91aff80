// After anchorhold was killed: the last look that close() would have taken, from what the session wrote down at its start.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { Emit } from '../model/events.ts'
import type { Policy } from '../model/policy.ts'
import { mergeViewAfterCrash } from './git-view.ts'
import { openPlanted, type ReachedPlace } from './planted.ts'
import { openQuarantine } from './quarantine.ts'
import { startScout, type Match } from './scout.ts'
import { makeTables } from './tables.ts'

export interface StartRecord {
  /** As the scout numbered them. */
  readonly roots: readonly string[]
  readonly writable: readonly string[]
  readonly gitDirs: readonly string[]
  readonly files: Policy['files']
  readonly startedAt: number
  readonly first: readonly Match[]
  readonly reached: readonly ReachedPlace[]
  readonly commands: readonly string[]
  /** Configurations that were lent: git-dir, number, name in events. */
  readonly views: readonly { readonly gitDir: string; readonly number: number; readonly shown: string }[]
}

/** Name of the record in the session's folder. */
export const startFile = 'workspace.json'

/**
 * Moves what a killed session left planted to its quarantine. Does nothing where the session had no writable root.
 * @param input.folder the session's folder
 * @throws Failure `workspace/scan` where the roots can't be searched
 */
export async function sweepAfterCrash(input: {
  readonly project: string
  readonly since: Date
  readonly folder: string
  readonly session: string
  readonly emit: Emit
}): Promise<void> {
  const text = await readFile(path.join(input.folder, startFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return
  const start = readRecord(text)
  const tables = makeTables(start.files, 'all')
  await using scout = startScout({ roots: start.roots.map((root) => ({ path: root })), patterns: tables.patterns, mode: 'commands' })
  await scout.first
  const roots = start.roots.map((root) => ({ path: root, writable: start.writable.includes(root) }))
  const quarantine = openQuarantine({ sessionFolder: input.folder, project: input.project, scout, emit: input.emit })
  const planted = openPlanted({
    roots,
    project: input.project,
    tables,
    first: start.first,
    covers: [],
    quarantine,
    scout,
    emit: input.emit,
    startedAt: start.startedAt,
    sessionFolder: input.folder,
    gitDirs: start.gitDirs,
    reached: start.reached,
    commands: start.commands,
  })
  await planted.finish(await scout.sweep())
  for (const view of start.views)
    await mergeViewAfterCrash({ ...view, roots: start.writable, sessionFolder: input.folder, emit: input.emit })
}

/** The record is anchorhold's own, in a folder of its own; what doesn't look like it was cut short by the crash. */
function readRecord(text: string): StartRecord {
  const record = JSON.parse(text) as Partial<StartRecord> | null
  const lists = [record?.roots, record?.writable, record?.gitDirs]
  if (
    record === null ||
    !lists.every((list) => Array.isArray(list) && list.every((entry) => typeof entry === 'string')) ||
    ![record.first, record.reached, record.commands, record.views].every((list) => Array.isArray(list)) ||
    typeof record.startedAt !== 'number' ||
    typeof record.files !== 'object'
  ) {
    throw new Failure('workspace/scan', { reason: `the session's ${startFile} is damaged` })
  }
  return record as StartRecord
}
