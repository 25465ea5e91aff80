// What a live run changed: the project as it is now against what net.ts noted at the run's start. For `diff` and `undo`.
// git is asked with a git-dir of anchorhold's own; a content is believed only where its hash is the object's name.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathOf } from '../workspace/path-bytes.ts'
import { factsAt } from './base.ts'
import { memoryName, type Memory, type MemoryEntry } from './memory.ts'
import { parseTags, privateGit, type PrivateGit } from './private-git.ts'
import type { NodeFacts } from './proposal.ts'

export interface Remembered {
  readonly memory: Memory
  readonly folder: string
  readonly entries: readonly MemoryEntry[]
}

/** Undefined where the session has no memory: it was no live run, or it was killed before its end. */
export function readMemory(sessionFolder: string): Memory | undefined {
  try {
    const parsed = JSON.parse(readFileSync(path.join(sessionFolder, memoryName, 'memory.json'), 'utf8')) as Memory | null
    return parsed?.version === 1 ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

/** Compares now with then. Contents of the start are taken out into `base/`. */
export async function readRemembered(sessionFolder: string): Promise<Remembered | undefined> {
  const memory = readMemory(sessionFolder)
  if (memory === undefined) return undefined
  const folder = path.join(sessionFolder, memoryName)
  if (memory.how.length === 0) return { memory, folder, entries: [] }
  const git = privateGit(path.join(folder, 'git'), memory.project)
  const differing = parseTags(await git.run(['ls-files', '-z', '-t', '-m', '-d', '-o', '--exclude-standard'])).filter(
    ({ path: place }) => !place.endsWith('/'),
  )
  const indexed = await readIndex(git)
  await mkdir(path.join(folder, 'base'), { recursive: true, mode: 0o700 })
  // What is ignored was not noted: where the rules for it changed, an unknown file may have been there all the time.
  const rulesChanged = differing.some(({ path: place }) => path.basename(place) === '.gitignore')
  const entries: MemoryEntry[] = []
  for (const { path: place } of differing) {
    const entry = await entryOf(memory, folder, git, place, { indexed: indexed.get(place), rulesChanged }, entries.length)
    if (entry !== undefined) entries.push(entry)
  }
  return { memory, folder, entries }
}

/** One line of the index. */
interface Indexed {
  readonly mode: string
  readonly object: string
  /** Of the file in the work tree when it was last looked at; 0 where git didn't trust it. */
  readonly size: number
  readonly mtimeNs: string
}

async function readIndex(git: PrivateGit): Promise<ReadonlyMap<string, Indexed>> {
  const text = await git.run(['ls-files', '-z', '-s', '--debug'])
  const found = new Map<string, Indexed>()
  // `MODE OBJECT STAGE\tPATH\0  ctime: S:N\n  mtime: S:N\n  dev: …\n  uid: …\n  size: N\tflags: F\n`
  for (let at = 0; at < text.length;) {
    const end = text.indexOf(0, at)
    const head = text.subarray(at, end)
    const tab = head.indexOf(9)
    const [mode = '', object = ''] = head.toString('latin1', 0, tab).split(' ')
    let after = end + 1
    for (let line = 0; line < 5; line++) after = text.indexOf(10, after) + 1
    const facts = text.toString('latin1', end + 1, after)
    const [, seconds = '0', nanoseconds = '0'] = /mtime: (\d+):(\d+)/.exec(facts) ?? []
    const size = Number(/size: (\d+)/.exec(facts)?.[1] ?? 0)
    found.set(pathOf(head.subarray(tab + 1)), { mode, object, size, mtimeNs: `${BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)}` })
    at = after
  }
  return found
}

async function entryOf(
  memory: Memory,
  folder: string,
  git: PrivateGit,
  place: string,
  { indexed, rulesChanged }: { readonly indexed: Indexed | undefined; readonly rulesChanged: boolean },
  number: number,
): Promise<MemoryEntry | undefined> {
  const real = path.join(memory.project, place)
  const now = await factsAt(real)
  const parent = now ?? (await factsAt(path.dirname(real)))
  const later = parent !== undefined && BigInt(parent.ctimeNs) > BigInt(memory.endedNs)
  const known = { root: 0, path: place, later, ...(now === undefined ? {} : { now }) }
  // Older than the run, and not changed since: it was only never noted.
  if (indexed === undefined && (now === undefined || BigInt(now.ctimeNs) < BigInt(memory.startedNs))) return undefined
  if (memory.lost.some((lost) => lost === place || (lost.endsWith('/') && place.startsWith(lost)))) return { ...known, state: 'lost' }
  if (indexed === undefined) return { ...known, state: rulesChanged ? 'lost' : 'absent' }
  if (indexed.mode === '160000') return undefined
  const content = await git.run(['cat-file', 'blob', indexed.object]).catch(() => undefined)
  // Of another size than the file was: git keeps it in another form (line ends, filters).
  if (content === undefined || !isObject(content, indexed.object) || (indexed.size !== 0 && indexed.size !== content.length))
    return { ...known, state: 'lost' }
  const facts = factsOf(indexed, content, memory)
  if (facts.type === 'l') return { ...known, state: 'same', facts }
  const name = path.join('base', String(number))
  await writeFile(path.join(folder, name), content, { mode: 0o600 })
  return { ...known, state: 'same', facts, content: name }
}

function isObject(content: Buffer, object: string): boolean {
  const hash = createHash(object.length === 64 ? 'sha256' : 'sha1')
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex') === object
}

function factsOf(indexed: Indexed, content: Buffer, { startedNs }: Memory): NodeFacts {
  const link = indexed.mode === '120000'
  return {
    type: link ? 'l' : 'f',
    mode: link ? 0o777 : indexed.mode === '100755' ? 0o755 : 0o644,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    size: content.length,
    mtimeNs: indexed.mtimeNs,
    ctimeNs: startedNs,
    ino: '0',
    dev: '0',
    nlink: 1,
    ...(link ? { target: pathOf(content) } : {}),
  }
}
