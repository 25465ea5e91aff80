// What the changed paths were before: noted at the end of each run, while the project is still as the run left it. diff and apply read it.
// A path that the user changed after the run began is `lost`: what has a later ctime than the run's start was not there at its start.
import { constants, lstatSync, readlinkSync } from 'node:fs'
import { copyFile, lstat, mkdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { bytesOf, isText, pathOf } from '../workspace/path-bytes.ts'
import { openBelow } from './below.ts'
import { readTree, type TreeEntry } from './entries.ts'
import { factsOf } from './facts.ts'
import { Failure } from '../errors/failure.ts'
import { proposalPlaces } from './folders.ts'
import { below } from './tree.ts'
import type { BaseEntry, NodeFacts, Proposal, UpperEntry } from './proposal.ts'

/** Larger files are kept only where the file system shares their blocks. */
const largestCopy = 64 * 2 ** 20
/** PATH_MAX, with room for what is put before a path. */
const longestPath = 4000
/** In all, of what is really copied. */
const mostCopied = 512 * 2 ** 20
/** Of what the agent deleted so many are kept: a branch that is left and come back to makes the same files anew, and then they can be compared. */
const mostGone = 1000

/** The entries noted so far, by `baseKey`. */
export async function readBase(folder: string): Promise<ReadonlyMap<string, BaseEntry>> {
  const text = await readFile(proposalPlaces(folder).baseIndex, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const entries = new Map<string, BaseEntry>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const entry = parseEntry(line, folder)
    entries.set(baseKey(entry), entry)
  }
  return entries
}

function parseEntry(line: string, folder: string): BaseEntry {
  try {
    return JSON.parse(line) as BaseEntry
  } catch (error) {
    throw new Failure('review/unreadable', { path: proposalPlaces(folder).baseIndex, reason: 'it is damaged' }, { cause: error })
  }
}

export function baseKey({ root, path: place }: { readonly root: number; readonly path: string }): string {
  return `${root}:${place}`
}

/**
 * Notes what every changed path was that is not noted yet, and keeps the contents. Idempotent: a run that was killed is settled by whoever
 * reads its proposal first. The caller holds the proposal.
 * @returns all entries, by `baseKey`
 */
export async function settleBase(
  proposal: Proposal,
  folder: string,
  upper: readonly UpperEntry[],
): Promise<ReadonlyMap<string, BaseEntry>> {
  const known = await readBase(folder)
  const startedNs = BigInt(proposal.runs.at(-1)?.startedNs ?? '0')
  const entries = new Map(known)
  const note = (entry: BaseEntry) => entries.set(baseKey(entry), entry)
  const keep = openKeep(folder, known.size)
  let gone = 0
  const keepGone: Keep = (real, facts) => ((gone += 1) > mostGone ? Promise.resolve(undefined) : keep(real, facts))
  const seen = new Map<string, boolean>()
  for (const entry of upper) {
    if (entries.has(baseKey(entry)) && entries.get(baseKey(entry))?.content !== undefined) continue
    const real = path.posix.join(proposal.roots[entry.root]?.path ?? '/', entry.path)
    if (Buffer.byteLength(real) > longestPath) {
      note(absentAbove(entries, entry) ?? { root: entry.root, path: entry.path, state: 'lost' })
      continue
    }
    // Below a link of the project lies nothing of the project's: what the agent put there is new.
    if (!entries.has(baseKey(entry)) && !(await liesIn(proposal.roots[entry.root]?.path ?? '/', entry.path, seen)))
      note({ root: entry.root, path: entry.path, state: 'absent' })
    if (!entries.has(baseKey(entry)))
      note(await look({ root: entry.root, path: entry.path }, real, startedNs, entry.kind === 'node' ? keep : keepGone))
    // A folder that was removed, made anew, or replaced by something else.
    const hidesFolder =
      (entry.kind === 'whiteout' || entry.opaque || entry.facts.type !== 'd') && entries.get(baseKey(entry))?.facts?.type === 'd'
    if (!hidesFolder) continue
    for (const inner of await treeOf(real)) {
      const place = { root: entry.root, path: `${entry.path}/${inner.path}` }
      if (inner.path === '' || entries.has(baseKey(place))) continue
      const there = `${real}/${inner.path}`
      note(
        gone < mostGone && inner.facts.type === 'f' && Buffer.byteLength(there) <= longestPath
          ? await look(place, there, startedNs, keepGone)
          : { ...place, state: unchanged(inner.facts, startedNs) ? 'same' : 'lost', facts: inner.facts },
      )
    }
  }
  if (entries.size !== known.size) await writeBase(folder, [...entries.values()])
  return entries
}

/** Nothing lies below what was not there. */
function absentAbove(entries: ReadonlyMap<string, BaseEntry>, { root, path: place }: UpperEntry): BaseEntry | undefined {
  const parent = place.slice(0, Math.max(0, place.lastIndexOf('/')))
  return entries.get(baseKey({ root, path: parent }))?.state === 'absent' ? { root, path: place, state: 'absent' } : undefined
}

/** A folder of the project with all in it; none where it is gone. Programs take names that are text only: others are walked here. */
async function treeOf(real: string): Promise<readonly Pick<TreeEntry, 'path' | 'facts'>[]> {
  if (isText(real)) return readTree(real).catch(() => [])
  const above = real.split('/').findIndex((part) => !isText(part))
  const root = real.split('/').slice(0, above).join('/') || '/'
  using tree = openBelow(root)
  const folder = real.slice(root.length).replace(/^\//, '')
  return [...below(tree, folder)].flatMap((path) => {
    const facts = tree.facts(path)
    return facts === undefined ? [] : [{ path: path.slice(folder.length + 1), facts }]
  })
}

/** Whether every folder on the way is a folder, and no link. `seen` remembers. */
async function liesIn(root: string, place: string, seen: Map<string, boolean>): Promise<boolean> {
  const slash = place.lastIndexOf('/')
  if (slash < 0) return true
  const parent = path.posix.join(root, place.slice(0, slash))
  const known = seen.get(parent)
  if (known !== undefined) return known
  const answer = (await liesIn(root, place.slice(0, slash), seen)) && (await factsAt(parent))?.type === 'd'
  seen.set(parent, answer)
  return answer
}

async function writeBase(folder: string, entries: readonly BaseEntry[]): Promise<void> {
  const { baseIndex } = proposalPlaces(folder)
  const beside = `${baseIndex}.${process.pid}`
  await writeFile(beside, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600 })
  await rename(beside, baseIndex)
}

/** What lies at a path of the host now, as lstat(2) says; undefined where nothing does. */
export async function factsAt(real: string): Promise<NodeFacts | undefined> {
  const name = bytesOf(real)
  try {
    const stat = await lstat(name, { bigint: true })
    return { ...factsOf(stat), ...(stat.isSymbolicLink() ? { target: pathOf(await readlink(name, { encoding: 'buffer' })) } : {}) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw error
  }
}

/** The same at once, where a promise for each of a few files would take longer than the look. */
export function factsNow(real: string): NodeFacts | undefined {
  const name = bytesOf(real)
  const stat = lstatSync(name, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return { ...factsOf(stat), ...(stat.isSymbolicLink() ? { target: pathOf(readlinkSync(name, { encoding: 'buffer' })) } : {}) }
}

/** A folder's ctime changes with what lies in it: of a folder only that it is one, and its mode, count. */
function unchanged(facts: NodeFacts, startedNs: bigint): boolean {
  return facts.type === 'd' || BigInt(facts.ctimeNs) < startedNs
}

export type Keep = (real: string, facts: NodeFacts) => Promise<string | undefined>

async function look(place: Pick<BaseEntry, 'root' | 'path'>, real: string, startedNs: bigint, keep: Keep): Promise<BaseEntry> {
  const facts = await factsAt(real)
  if (facts === undefined) return { ...place, state: 'absent' }
  if (!unchanged(facts, startedNs)) return { ...place, state: 'lost', facts }
  if (facts.type !== 'f') return { ...place, state: 'same', facts }
  const content = await keep(real, facts)
  // A save while it was copied: what was kept may be half of each.
  const after = content === undefined ? facts : await factsAt(real)
  if (after === undefined || after.ino !== facts.ino || after.ctimeNs !== facts.ctimeNs)
    return { ...place, state: 'lost', ...(after === undefined ? {} : { facts: after }) }
  return { ...place, state: 'same', facts, ...(content === undefined ? {} : { content }) }
}

/** Keeps contents as `base/N`, from the first free number on; undefined for what is too large or can't be read. */
export function openKeep(folder: string, first: number): Keep {
  const { base } = proposalPlaces(folder)
  let next = first
  let copied = 0
  return async (real, facts) => {
    await mkdir(base, { recursive: true, mode: 0o700 })
    const name = String(next++)
    const target = path.join(base, name)
    await rm(target, { force: true })
    const put = (mode: number) =>
      copyFile(bytesOf(real), target, mode | constants.COPYFILE_EXCL).then(
        () => true,
        () => false,
      )
    if (!(await put(constants.COPYFILE_FICLONE_FORCE))) {
      await rm(target, { force: true })
      if (facts.size > largestCopy || copied + facts.size > mostCopied || !(await put(0))) {
        await rm(target, { force: true })
        return undefined
      }
      copied += facts.size
    }
    return path.join(path.basename(base), name)
  }
}
