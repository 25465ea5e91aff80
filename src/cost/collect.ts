// Finds the logs, takes what the index has of them, reads the rest, puts it all into one table and keeps it. Writes nothing but the index.
import path from 'node:path'
import { findLogs, type Folder, type Log } from './find-logs.ts'
import { readIndex, writeIndex, type Index } from './index-file.ts'
import type { LogFacts, Logs } from './logs.ts'
import { readers } from './readers/list.ts'
import type { Places, Root } from './reader.ts'
import { Records } from './records.ts'
import type { FileResult, Scanned, Task } from './scan.ts'
import { Strings } from './strings.ts'
import { Threads } from './threads.ts'

export interface CollectOptions {
  readonly places: Places
  /** Folder of the index; undefined for none (`--no-index`). */
  readonly cache: string | undefined
  readonly version: string
}

/** Everything that is logged now. */
export async function collect({ places, cache, version }: CollectOptions): Promise<Logs> {
  const file =
    cache === undefined ? undefined : path.join(cache, `usage-${nameOf(readers.flatMap((reader) => reader.roots(places)))}.index`)
  const index = file === undefined ? undefined : readIndex(file, version)
  const threads = new Threads()
  const unread = new Map<Log, Task & { readonly bytes: number }>()
  const found = findLogs(readers, places, index?.folders, (log) => {
    const task = taskFor(log, index?.files.get(log.path), file !== undefined)
    if (task === undefined) return
    unread.set(log, task)
    threads.expect(task.bytes)
  })
  const tasks = found.logs.flatMap((log, place) => {
    const task = unread.get(log)
    return task === undefined ? [] : [{ ...task, log: place }]
  })
  const scanned = await threads.scan(tasks)
  const merged = merge(found.logs, tasks, scanned, index)
  const logs = { ...merged.logs, troubles: found.troubles, roots: found.roots }
  if (file !== undefined && (differs(logs.files, index) || foldersDiffer(found.folders, index)))
    writeIndex(file, version, logs, found.folders, merged.whole)
  return logs
}

/** Undefined where the index has all of the file. */
function taskFor(log: Log, known: LogFacts | undefined, marked: boolean): (Task & { readonly bytes: number }) | undefined {
  const { agent, path: file, relative, modified } = log
  const anew = { agent, path: file, relative, modified, offset: 0, lines: 0, kept: undefined, mark: undefined, marked, bytes: log.size }
  if (known === undefined || known.inode !== log.inode || known.agent !== agent || log.size < known.offset) return anew
  const same = known.size === log.size && known.modified === modified && known.changed === log.changed
  if (same && known.offset === log.size) return undefined
  // Of the same length, but written to: what was read may be another text now.
  if (!same && known.size === log.size) return anew
  const { offset, lines, kept, mark } = known
  return { ...anew, offset, lines, kept, mark, bytes: log.size - offset }
}

/** Whether the index says something else than what was found. Half lines are not its business. */
function differs(files: readonly LogFacts[], index: Index | undefined): boolean {
  const readable = files.filter(({ trouble }) => trouble === undefined)
  return (
    index === undefined ||
    index.files.size !== readable.length ||
    readable.some((facts) => {
      const known = index.files.get(facts.path)
      return (
        known?.size !== facts.size || known.modified !== facts.modified || known.changed !== facts.changed || known.inode !== facts.inode
      )
    })
  )
}

function foldersDiffer(folders: readonly Folder[], index: Index | undefined): boolean {
  return folders.length !== index?.folders.size || folders.some((folder) => index.folders.get(folder.path)?.changed !== folder.changed)
}

/** Short and the same for the same folders. */
function nameOf(roots: readonly Root[]): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(roots.map(({ folder }) => folder).join('\0')))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(36)
}

interface Part {
  readonly source: Scanned
  readonly result: FileResult
  readonly renamed: Renamed
}
interface Renamed {
  readonly sessions: Uint32Array
  readonly models: Uint32Array
}

/** Files in their order: what the index had, then what was read now; half lines at the table's end. `whole`: records before those. */
function merge(
  logs: readonly Log[],
  tasks: readonly { readonly log: number }[],
  scanned: readonly Scanned[],
  index: Index | undefined,
): { readonly logs: Pick<Logs, 'records' | 'sessions' | 'models' | 'files'>; readonly whole: number } {
  const sessions = new Strings(index?.sessions)
  const models = new Strings(index?.models)
  const parts = new Map<number, Part>()
  for (const source of scanned) {
    const renamed = { sessions: places(source.sessions, sessions), models: places(source.models, models) }
    for (const result of source.files) parts.set(tasks[result.task]?.log ?? -1, { source, result, renamed })
  }
  // Nothing was read and nothing went away: the index is the table.
  if (index !== undefined && parts.size === 0 && index.files.size === logs.length) {
    const files = logs.map((log) => index.files.get(log.path) as LogFacts)
    const records = { numbers: index.numbers, words: index.words, length: index.words.length / 8 }
    return { logs: { records, sessions: sessions.list, models: models.list, files }, whole: records.length }
  }
  const identity = { sessions: sequence(sessions.list.length), models: sequence(models.list.length) }
  const records = new Records(Math.max(1024, (index?.words.length ?? 0) / 8 + scanned.reduce((sum, one) => sum + one.records.length, 0)))
  const files = logs.map((log, file): LogFacts => {
    const from = records.length
    const known = index?.files.get(log.path)
    const part = parts.get(file)
    const before = known !== undefined && (part === undefined || part.result.continued) ? known : undefined
    if (before !== undefined && index !== undefined) records.append(index, before.from, before.to, { ...identity, file })
    if (part === undefined) return { ...(known as LogFacts), from, to: records.length }
    const { source, result, renamed } = part
    records.append(source.records, result.from, result.to - result.loose, { ...renamed, file })
    return factsOf(log, part, from, records.length, before)
  })
  const whole = records.length
  for (const [file, { source, result, renamed }] of [...parts].sort(([a], [b]) => a - b))
    records.append(source.records, result.to - result.loose, result.to, { ...renamed, file })
  return { logs: { records, sessions: sessions.list, models: models.list, files }, whole }
}

function factsOf(log: Log, { result, renamed }: Part, from: number, to: number, before: LogFacts | undefined): LogFacts {
  const reports = result.reports.map(([session, dollars]) => [renamed.sessions[session] as number, dollars] as const)
  const newer = new Set(reports.map(([session]) => session))
  return {
    ...log,
    from,
    to,
    offset: result.offset,
    lines: result.lines,
    mark: result.mark,
    kept: result.kept,
    project: result.project,
    damage: [...(before?.damage ?? []), ...result.damage],
    loose: result.looseDamage,
    reports: [...(before?.reports ?? []).filter(([session]) => !newer.has(session)), ...reports],
    links: [
      ...(before?.links ?? []),
      ...result.links.map(([session, parent]) => [renamed.sessions[session] as number, renamed.sessions[parent] as number] as const),
    ],
    ...(result.trouble === undefined ? {} : { trouble: result.trouble }),
  }
}

function places(texts: readonly string[], strings: Strings): Uint32Array {
  return Uint32Array.from(texts, (text) => strings.place(text))
}

function sequence(length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, at) => at)
}
