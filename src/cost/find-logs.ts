// Finds the logs below a reader's roots. In the user's own folders links are followed once; in a cell's home, which an agent wrote, never.
import { lstatSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs'
import path from 'node:path'
import type { Places, Reader, Root } from './reader.ts'

export interface Log {
  readonly agent: string
  readonly path: string
  readonly relative: string
  readonly size: number
  readonly modified: number
  readonly changed: number
  readonly inode: number
}

/** What a folder held when it was last listed. Its own times change with its entries, so that it need not be listed again. */
export interface Folder {
  readonly path: string
  readonly modified: number
  readonly changed: number
  readonly inode: number
  readonly folders: readonly string[]
  readonly files: readonly string[]
}

export interface FoundLogs {
  readonly logs: readonly Log[]
  /** Folders as they are now, those without links that had not changed for a while. */
  readonly folders: readonly Folder[]
  /** Folders that exist. */
  readonly roots: readonly string[]
  /** What could not be looked into. */
  readonly troubles: readonly { readonly path: string; readonly reason: string }[]
}

/** Every log of every reader, once, in the order of its path; `found` is called for each as it is found. */
export function findLogs(
  readers: readonly Reader[],
  places: Places,
  known: ReadonlyMap<string, Folder> = new Map(),
  found: (log: Log) => void = () => undefined,
): FoundLogs {
  const logs: Log[] = []
  const folders: Folder[] = []
  const roots: string[] = []
  const troubles: { path: string; reason: string }[] = []
  const seen = new Set<string>()
  for (const reader of readers) {
    for (const root of reader.roots(places)) {
      const folder = realRoot(root)
      if (folder === undefined || seen.has(folder)) continue
      seen.add(folder)
      roots.push(folder)
      walk({ reader, folder, untrusted: root.untrusted, logs, found, troubles, seen, folders, known }, '', 0)
    }
  }
  return { logs: logs.toSorted((a, b) => (a.path < b.path ? -1 : 1)), folders, roots, troubles }
}

/** Undefined where there is none; for a cell's home also where a part of the agent's own is a link. */
function realRoot(root: Root): string | undefined {
  try {
    if (!root.untrusted) return realpathSync(root.folder)
    const parent = path.dirname(root.folder)
    return lstatSync(parent).isDirectory() && lstatSync(root.folder).isDirectory() ? root.folder : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

interface Walk {
  readonly reader: Reader
  readonly folder: string
  readonly untrusted: boolean
  readonly logs: Log[]
  readonly found: (log: Log) => void
  readonly troubles: { path: string; reason: string }[]
  readonly seen: Set<string>
  readonly folders: Folder[]
  readonly known: ReadonlyMap<string, Folder>
}

const deepest = 12

/** A folder that changed less long ago than this may change again without its times showing it. */
const settled = 2000

function walk(at: Walk, relative: string, depth: number): void {
  const folder = relative === '' ? at.folder : `${at.folder}/${relative}`
  const facts = trying(at, folder, () => lstatSync(folder))
  if (facts === undefined || depth > deepest) return
  const { mtimeMs: modified, ctimeMs: changed, ino: inode } = facts
  const known = at.known.get(folder)
  const same = known?.modified === modified && known.changed === changed && known.inode === inode
  const entries = same ? known : list(at, folder, relative, depth)
  if (entries === undefined) return
  const unlinked = same || !('links' in entries && entries.links)
  if (unlinked && Date.now() - Math.max(modified, changed) > settled)
    at.folders.push({ path: folder, modified, changed, inode, folders: entries.folders, files: entries.files })
  const inside = (name: string): string => (relative === '' ? name : `${relative}/${name}`)
  for (const name of entries.files)
    note(
      at,
      inside(name),
      trying(at, inside(name), () => lstatSync(`${folder}/${name}`)),
    )
  for (const name of entries.folders) walk(at, inside(name), depth + 1)
}

/** What is to be looked at; links are followed on the way, where that is allowed. */
function list(
  at: Walk,
  folder: string,
  relative: string,
  depth: number,
): { readonly folders: readonly string[]; readonly files: readonly string[]; readonly links: boolean } | undefined {
  const entries = trying(at, folder, () => readdirSync(folder, { withFileTypes: true }))
  if (entries === undefined) return undefined
  const inside = (name: string): string => (relative === '' ? name : `${relative}/${name}`)
  const links = entries.filter((entry) => entry.isSymbolicLink())
  if (!at.untrusted) for (const { name } of links) follow(at, inside(name), depth)
  return {
    folders: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
    files: entries.filter((entry) => entry.isFile() && at.reader.isLog(inside(entry.name))).map(({ name }) => name),
    links: links.length > 0,
  }
}

function follow(at: Walk, relative: string, depth: number): void {
  const link = `${at.folder}/${relative}`
  const facts = statSync(link, { throwIfNoEntry: false })
  if (facts === undefined) return
  const real = trying(at, link, () => realpathSync(link))
  if (real === undefined || at.seen.has(real)) return
  at.seen.add(real)
  if (facts.isDirectory()) walk(at, relative, depth + 1)
  else if (facts.isFile() && at.reader.isLog(relative)) note(at, relative, facts, real)
}

function note(at: Walk, relative: string, facts: Stats | undefined, real: string = `${at.folder}/${relative}`): void {
  if (facts === undefined || !facts.isFile()) return
  const { size, mtimeMs: modified, ctimeMs: changed, ino: inode } = facts
  const log = { agent: at.reader.agent, path: real, relative, size, modified, changed, inode }
  at.logs.push(log)
  at.found(log)
}

/** Logs are removed while we look: what is gone is gone; what may not be read is said. */
function trying<T>(at: Walk, path: string, look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') at.troubles.push({ path, reason: String(error.code) })
    return undefined
  }
}
