// Lends the cell a private copy of a repository's configuration: a symbolic link lies over the real file and leads to the copy, so that
// git can lock and rename it. At the end git-merge.ts says what is taken over; it is appended in place, since a rename over the real file
// would take away the covers that lie on it in other cells.
import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Emit } from '../model/events.ts'
import type { Cover, Mount } from '../model/plan.ts'
import { mkdir, open as openAtOnce, realpath, rm, writeFile, type Opened } from '../host/at-once.ts'
import { formatGitConfig, parseGitConfig, type ConfigEntry } from './git-config.ts'
import { appendEntries, mergeConfigs } from './git-merge.ts'
import { readSmall } from './judge.ts'

export interface GitViewInput {
  /** The git-dir, absolute and canonical. */
  readonly gitDir: string
  /** Unique within the session. */
  readonly number: number
  readonly roots: readonly string[]
  readonly sessionFolder: string
  /** How the configuration is called in events. */
  readonly shown: string
  readonly emit: Emit
  /** Owns what stays open until close(). */
  readonly scope: AsyncDisposableStack
}

export interface GitView extends Pick<GitViewInput, 'gitDir' | 'number' | 'shown'> {
  readonly cover: Cover
  readonly mount: Mount
  /** After the cell's end. */
  close(): Promise<void>
}

const inside = '/run/anchorhold/git'
const lockAttempts = 40

/** undefined where the real file is not a configuration that git itself would read: it stays read-only then. */
export async function openGitView(input: GitViewInput): Promise<GitView | undefined> {
  const real = path.join(input.gitDir, 'config')
  const text = await readSmall(real)
  const start = typeof text === 'string' ? parseGitConfig(text) : undefined
  if (typeof text !== 'string' || start === undefined || !start.ok) return undefined
  // Held from here on: by its path it could be another repository at the end, where a folder above was swapped for a link.
  const gitDir = await openFolder(input.gitDir)
  input.scope.use(gitDir)
  const folder = path.join(input.sessionFolder, 'git', String(input.number))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(`${folder}${startSuffix}`, Buffer.from(text, 'latin1'), { mode: 0o600 })
  const copy = path.join(folder, 'config')
  await writeFile(copy, Buffer.from(text, 'latin1'), { mode: 0o644 })
  const target = `${inside}/${input.number}`
  return {
    gitDir: input.gitDir,
    number: input.number,
    shown: input.shown,
    cover: { kind: 'link', path: real, target: `${target}/config` },
    mount: { kind: 'bind', from: folder, to: target, mode: 'rw' },
    async close() {
      await mergeBack(input, gitDir, start.entries, text, await readSmall(copy))
      await rm(`${folder}${startSuffix}`, { force: true })
      await rm(folder, { recursive: true, force: true }).catch((error: Error) => {
        input.emit({ kind: 'warning', code: 'git/view-left', message: `${folder} could not be removed: ${error.message}` })
      })
    },
  }
}

/**
 * What close() would have done, for a session that was killed: from the copies that lie in its folder.
 * Does nothing where there are none.
 */
export async function mergeViewAfterCrash(input: Omit<GitViewInput, 'scope'>): Promise<void> {
  const folder = path.join(input.sessionFolder, 'git', String(input.number))
  const text = await readSmall(`${folder}${startSuffix}`)
  if (typeof text !== 'string' || (await realpath(input.gitDir).catch(() => '')) !== input.gitDir) return
  using gitDir = await openFolder(input.gitDir)
  await mergeBack(input, gitDir, parseGitConfig(text).entries, text, await readSmall(path.join(folder, 'config')))
  await rm(`${folder}${startSuffix}`, { force: true })
  await rm(folder, { recursive: true, force: true })
}

/** Beside the folder that the cell gets, never in it. */
const startSuffix = '.start'

function openFolder(place: string): Promise<Opened> {
  return openAtOnce(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}

async function mergeBack(
  input: Omit<GitViewInput, 'scope'>,
  gitDir: Opened,
  start: readonly ConfigEntry[],
  startText: string,
  left: string | false | undefined,
): Promise<void> {
  if (left === startText) return
  const parsed = typeof left === 'string' ? parseGitConfig(left) : undefined
  if (parsed === undefined || !parsed.ok)
    return hold(input, ['the whole file: git could not read it'], typeof left === 'string' ? left : '')
  const done = await inPlace(gitDir, (now) => mergeConfigs(start, parsed.entries, now, { gitDir: input.gitDir, roots: input.roots }))
  if (done.merged.length > 0) input.emit({ kind: 'git.merged', path: input.shown, keys: keysOf(done.merged) })
  const held = [...keysOf(done.held), ...done.removed.map((key) => `${key} (removed inside, kept here)`)]
  if (held.length > 0) await hold(input, held, formatGitConfig(done.held))
}

function keysOf(entries: readonly ConfigEntry[]): readonly string[] {
  return [...new Set(entries.map(({ key }) => Buffer.from(key, 'latin1').toString('utf8')))]
}

async function hold(input: Omit<GitViewInput, 'scope'>, keys: readonly string[], text: string): Promise<void> {
  const folder = path.join(input.sessionFolder, 'held')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const kept = path.join(folder, `git-config-${input.number}`)
  await writeFile(kept, Buffer.from(text, 'latin1'), { mode: 0o600 })
  input.emit({ kind: 'git.held', path: input.shown, keys, kept })
}

interface Done {
  readonly merged: readonly ConfigEntry[]
  readonly held: readonly ConfigEntry[]
  readonly removed: readonly string[]
}

/** Under git's own lock, through the git-dir's descriptor: another cell may swap folders of the project meanwhile. */
async function inPlace(
  folder: Opened,
  decide: (now: readonly ConfigEntry[]) => { take: readonly ConfigEntry[]; hold: readonly ConfigEntry[]; removed: readonly string[] },
): Promise<Done> {
  const base = `/proc/self/fd/${folder.fd}`
  const lock = await takeLock(`${base}/config.lock`)
  try {
    await using file = await open(`${base}/config`, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const text = (await file.readFile()).toString('latin1')
    const now = parseGitConfig(text)
    const merge = decide(now.entries)
    const nothing = { merged: [], held: [...merge.take, ...merge.hold], removed: merge.removed }
    const block = now.ok && merge.take.length > 0 && lock !== undefined ? appendEntries(text, merge.take) : undefined
    if (block === undefined) return nothing
    await append(file, Buffer.from(block, 'latin1'), Buffer.byteLength(text, 'latin1'))
    return { merged: merge.take, held: merge.hold, removed: merge.removed }
  } finally {
    if (lock !== undefined) {
      await lock.close()
      await unlink(`${base}/config.lock`)
    }
  }
}

/** One write at the end: whoever reads meanwhile sees the old file or the new one. A short write is taken back. */
async function append(file: FileHandle, block: Buffer, at: number): Promise<void> {
  const { bytesWritten } = await file.write(block, 0, block.length, at)
  if (bytesWritten < block.length) {
    await file.truncate(at)
    throw new Error('the disk is full')
  }
  await file.sync()
}

/** git's protocol: `config.lock` made exclusively. undefined after two seconds: somebody else keeps it. */
async function takeLock(place: string): Promise<FileHandle | undefined> {
  for (let attempt = 0; attempt < lockAttempts; attempt += 1) {
    const lock = await open(place, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return undefined
        throw error
      },
    )
    if (lock !== undefined) return lock
    await sleep(50)
  }
  return undefined
}
