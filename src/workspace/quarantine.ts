// Where planted files go: out of the project into the session's folder, by rename, with a list that says how each comes back.
// Neighbours: planted.ts decides what is moved; `anchorhold restore` calls restoreQuarantined.
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { Emit } from '../model/events.ts'
import { startScout, type Scout } from './scout.ts'
import { isWithin } from '../host/paths.ts'

interface Kept {
  readonly root: string
  /** Relative to the root. */
  readonly path: string
  /** Folder below `quarantine/`; the entry keeps its own name in it. */
  readonly folder: string
  readonly rule: string
}

/** Copies of one path that are kept and told of; of what comes later, the last one. */
const mostKept = 20

export interface Quarantine {
  /**
   * Moves one path of a root away, whatever it is, never through a link. Emits `file.quarantined`.
   * Resolves to where it is kept, or undefined where it was gone already or could not be moved (a warning is emitted).
   * @param isOriginal whether what was moved is not what was judged but something of the start, exchanged meanwhile: it goes back at once
   */
  take(root: string, relative: string, rule: string, isOriginal?: (kept: string) => Promise<boolean>): Promise<string | undefined>
  readonly count: number
}

export function openQuarantine(input: {
  readonly sessionFolder: string
  readonly project: string
  readonly scout: Pick<Scout, 'move' | 'restore'>
  readonly emit: Emit
}): Quarantine {
  const { sessionFolder, project, scout, emit } = input
  const session = path.basename(sessionFolder)
  const base = path.join(sessionFolder, 'quarantine')
  const prefix = Date.now().toString(36)
  let count = 0
  const taken = new Map<string, { times: number; last: string }>()
  return {
    get count() {
      return count
    },
    async take(root, relative, rule, isOriginal) {
      const folder = `${prefix}-${++count}`
      const keptFolder = path.join(base, folder)
      await mkdir(keptFolder, { recursive: true, mode: 0o700 })
      const name = path.posix.basename(relative)
      const reason = await scout.move(root, relative, keptFolder, name)
      const shown = root === project ? relative : path.join(root, relative)
      if (reason !== '') {
        if (!/No such file/.test(reason)) {
          emit({
            kind: 'warning',
            code: 'files/not-quarantined',
            message: `${shown} was planted and could not be taken away: ${reason}.`,
            remedy: `Look at it before you use the project: ${quote(path.join(root, relative))}`,
          })
        }
        return undefined
      }
      // Exchanged between judgement and move: what came along was there at the start and goes back.
      const wrong = (await isOriginal?.(path.join(keptFolder, name))) === true
      if (wrong && (await scout.restore(keptFolder, name, root, relative)) === '') return undefined
      const kept: Kept = { root, path: relative, folder, rule }
      await appendFile(path.join(base, 'list.jsonl'), `${JSON.stringify(kept)}\n`, { mode: 0o600 })
      const place = path.join(keptFolder, name)
      const before = taken.get(shown) ?? { times: 0, last: '' }
      taken.set(shown, { times: before.times + 1, last: keptFolder })
      // A loop that plants must neither fill the disk nor the screen.
      if (before.times > mostKept) {
        await rm(before.last, { recursive: true, force: true }).catch(() => undefined)
        return place
      }
      emit({
        kind: 'file.quarantined',
        path: shown,
        rule,
        kept: place,
        restore: `anchorhold restore ${session} ${shown.startsWith('-') ? '-- ' : ''}${quote(shown)}`,
      })
      return place
    },
  }
}

/**
 * Puts a quarantined path back where it was planted: `anchorhold restore ID PATH`. Never overwrites, never follows a link of the project.
 * @param given as in the event: relative to the project or absolute; where it was planted more than once, the newest that is still kept
 * @returns the absolute path
 * @throws Failure `workspace/not-restored`
 */
export async function restoreQuarantined(sessionFolder: string, given: string): Promise<string> {
  const base = path.join(sessionFolder, 'quarantine')
  const fail = (reason: string, kept: string = base): never => {
    throw new Failure('workspace/not-restored', { path: given, reason, kept })
  }
  const text = await readFile(path.join(base, 'list.jsonl'), 'utf8').catch(() => fail('nothing was quarantined in this session'))
  const rows = text
    .split('\n')
    .filter((line) => line !== '')
    .map(readRow)
  const wanted = path.normalize(given)
  const matching = rows
    .filter(
      (row) =>
        row.path === wanted ||
        path.join(row.root, row.path) === wanted ||
        path.join(base, row.folder, path.posix.basename(row.path)) === wanted,
    )
    .toReversed()
  if (matching.length === 0) fail('it was not quarantined in this session')
  await using scout = startScout({ roots: [], patterns: [], mode: 'commands' })
  await scout.first
  let reason = ''
  for (const row of matching) {
    reason = await scout.restore(path.join(base, row.folder), path.posix.basename(row.path), row.root, row.path)
    if (reason === '') return path.join(row.root, row.path)
    if (!/No such file/.test(reason)) fail(reason, path.join(base, row.folder))
  }
  return fail(reason.includes('No such file') ? 'it was put back before, or its folder is gone' : reason)
}

function readRow(line: string): Kept {
  const row = JSON.parse(line) as Kept
  const sound =
    [row.root, row.path, row.folder].every((text) => typeof text === 'string') &&
    path.isAbsolute(row.root) &&
    isWithin(path.join(row.root, row.path), row.root)
  if (!sound || row.folder.includes('/') || row.folder.startsWith('.'))
    throw new Failure('workspace/not-restored', { path: line.slice(0, 100), reason: 'the list of the quarantine is damaged', kept: '' })
  return row
}

/**
 * For a POSIX shell; plain words stay as they are. All but printable ASCII becomes `$'\ooo'` (POSIX 2024, 2.2.4), byte by byte: reports
 * would escape it, and the pasted command would name another path.
 */
function quote(text: string): string {
  if (/^[A-Za-z0-9_./@%+=:,-]+$/.test(text)) return text
  if (/^[ -~]*$/.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`
  const bytes = [...Buffer.from(text)].map((byte) => String.fromCharCode(byte))
  return `$'${bytes.map((char) => (/^[ -&(-[\]-~]$/.test(char) ? char : `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)).join('')}'`
}
