// What appears while the session runs, and what is there at its end: known from the start, harmless by content, or planted.
// Neighbours: scout.ts reports, judge.ts reads contents, quarantine.ts takes away; open.ts owns the lifetime.
import { lstat, mkdir, realpath, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Cell } from '../model/engine.ts'
import type { Emit } from '../model/events.ts'
import type { Cover } from '../model/plan.ts'
import { marksOf, originalOf, sameAs } from './copies.ts'
import { nameOfMatch } from './covers.ts'
import { judgeContent } from './judge.ts'
import type { Quarantine } from './quarantine.ts'
import { folderOf, type Reached } from './reach.ts'
import { gitPart, type Match, type Scout, type ScoutEvent } from './scout.ts'
import type { Tables } from './tables.ts'
import { isWithin } from '../host/paths.ts'

export interface PlantedInput {
  readonly roots: readonly { readonly path: string; readonly writable: boolean }[]
  readonly project: string
  readonly tables: Tables
  /** What matched at the start. */
  readonly first: readonly Match[]
  readonly covers: readonly Cover[]
  readonly quarantine: Quarantine
  readonly scout: Pick<Scout, 'restore'>
  readonly emit: Emit
  /** Milliseconds since the epoch, taken before the first scan. */
  readonly startedAt: number
  readonly sessionFolder: string
  /** Git-dirs outside the roots that a work tree of the start belongs to. */
  readonly gitDirs?: readonly string[]
  /** Paths that are obeyed by where they lie, not by their name: core.hooksPath, includes, targets of protected links. */
  readonly reached?: readonly ReachedPlace[]
  /** Commands that a rebase of the start had still to run. */
  readonly commands?: readonly string[]
}

export type ReachedPlace = Pick<Reached, 'path' | 'rule' | 'exists' | 'folder' | 'identity'>

export interface Planted {
  see(event: ScoutEvent): void
  attach(cell: Cell): void
  /** The last look, after the cell's end, over everything that matches now. */
  finish(matches: readonly Match[]): Promise<void>
}

/** A path that is fought over more often than this is taken away at a measured pace, and only the first and the last of it are kept. */
const liveAttempts = 20
const paceMilliseconds = 50
/** A folder does nothing before something lies in it: `mkdir -p` and what writes there are let finish, or an install breaks half way. */
const folderMilliseconds = 50
/** What may become a copy of the project's own is given this often that long to be written. */
const copyLooks = 3
const copyMilliseconds = 30

export function openPlanted(input: PlantedInput): Planted {
  const { roots, tables, quarantine, emit } = input
  const known = new Map(input.first.map((match) => [keyOf(match), { inode: match.inode, folder: match.folder }]))
  const inodes = new Set(input.first.map((match) => `${match.id} ${match.inode}`))
  const covers = new Map(input.covers.map((cover) => [cover.path, cover]))
  const attempts = new Map<string, number>()
  const waiting: Cover[] = []
  const timers = new Set<NodeJS.Timeout>()
  const paced = new Set<string>()
  const copies = new Map<string, { readonly match: Match; readonly marks: string }>()
  const looks = new Map<string, number>()
  const reached = input.reached ?? []
  const commands = new Set(input.commands ?? [])
  let cell: Cell | undefined
  let queue: Promise<void> = Promise.resolve()
  let over = false

  const absolute = (match: Match) => path.join(roots[match.root]?.path ?? '', match.path)
  const shown = (match: Match) => (roots[match.root]?.path === input.project ? match.path : absolute(match))

  const renew = async (cover: Cover, name: string) => {
    if (over) return
    if (cell === undefined) {
      waiting.push(cover)
      return
    }
    await cell.cover(cover).then(
      () => emit({ kind: 'file.protection-renewed', path: name }),
      (error: unknown) =>
        emit({
          kind: 'warning',
          code: 'files/not-renewed',
          message: `${name} was replaced on the host and could not be protected again: ${String(error instanceof Error ? error.message : error)}`,
        }),
    )
  }

  /** Whether the match was there at the start, at this place or moved with its folder. */
  const isKnown = async (match: Match): Promise<boolean> => {
    const before = known.get(keyOf(match))
    if (before !== undefined && before.folder === match.folder) {
      const cover = covers.get(absolute(match))
      if (before.inode !== match.inode && cover !== undefined) await renew(cover, shown(match))
      before.inode = match.inode
      return true
    }
    if (match.id === gitPart.hook && liesInKnownHooks(match)) return true
    return inodes.has(`${match.id} ${match.inode}`) && (await changedBefore(absolute(match), input.startedAt))
  }

  /**
   * The first look does not open a folder of hooks, which is covered as a whole: what lies in that very folder was there, or is the host's.
   */
  const liesInKnownHooks = (match: Match): boolean => {
    const hooks = known.get(keyOf({ ...match, id: gitPart.hooks, path: path.posix.dirname(match.path) }))
    return hooks !== undefined && hooks.inode === match.folder
  }

  /** Whether what lies at `place` is the very file or folder of a match of the start. */
  const isOriginal = async (match: Match, place: string): Promise<boolean> => {
    const info = await lstat(place).catch(() => undefined)
    return info !== undefined && inodes.has(`${match.id} ${info.ino}`)
  }

  const isJudged = (match: Match) => {
    const meaning = tables.meanings.get(match.id)
    return (meaning?.kind === 'protect' && meaning.keep === 'judged') || match.id === gitPart.innerLink || match.id === gitPart.todo
  }

  const handle = async (match: Match, final: boolean, again = false): Promise<void> => {
    const root = roots[match.root]
    const meaning = tables.meanings.get(match.id)
    if (root === undefined) return
    const judged = isJudged(match)
    if (judged ? await changedBefore(absolute(match), input.startedAt) : await isKnown(match)) return
    // What is new and secret is the cell's own work.
    if (!root.writable || meaning?.kind === 'hide' || match.id === gitPart.unreadable) return
    const name = nameOfMatch(match, tables)
    if (name === '' || (meaning === undefined && tables.lifted.has(name))) return
    const tried = (attempts.get(keyOf(match)) ?? 0) + 1
    if (!final && tried > liveAttempts && !again) {
      if (paced.has(keyOf(match))) return
      paced.add(keyOf(match))
      const timer = setTimeout(() => {
        paced.delete(keyOf(match))
        timers.delete(timer)
        enqueue(() => handle(match, false, true))
      }, paceMilliseconds).unref()
      timers.add(timer)
      return
    }
    if (meaning === undefined || judged) {
      const verdict = await judgeContent(match, absolute(match), {
        roots: roots.filter(({ writable }) => writable).map((one) => one.path),
        gitDirs: input.gitDirs ?? [],
        commands,
      })
      if (!final && verdict.kind !== 'dangerous') {
        // Created and then written: the watch sees the creation only, so such a file is read again a little later.
        if ((match.id === gitPart.link || judged) && tried <= liveAttempts) {
          attempts.set(keyOf(match), tried)
          timers.add(setTimeout(() => enqueue(() => handle(match, false)), tried * 50).unref())
        }
        return
      }
      if (verdict.kind === 'harmless') return
      attempts.set(keyOf(match), tried)
      const kept = await quarantine.take(root.path, match.path, verdict.rule === '' ? name : `${name}: ${verdict.rule}`)
      if (kept !== undefined && verdict.keep !== undefined) await putBack(root.path, match.path, verdict.keep, input)
      return
    }
    if (await isCopy(match, root.path, final)) return
    attempts.set(keyOf(match), tried)
    await quarantine.take(root.path, match.path, name, (kept) => isOriginal(match, kept))
  }

  /** Whether it is what a further work tree brings of the project's own, or may still become that. */
  const isCopy = async (match: Match, root: string, final: boolean): Promise<boolean> => {
    const original = await originalOf(match, root, input.first)
    if (original === undefined) return false
    const marks = await sameAs(absolute(match), original)
    if (marks !== undefined) {
      if (!final) copies.set(keyOf(match), { match, marks })
      if (!final) watchPlaces()
      return true
    }
    const looked = (looks.get(keyOf(match)) ?? 0) + 1
    looks.set(keyOf(match), looked)
    if (final || looked > copyLooks) return false
    timers.add(setTimeout(() => enqueue(() => handle(match, false)), copyMilliseconds).unref())
    return true
  }

  const enqueue = (step: () => Promise<void>) => {
    queue = queue.then(step).catch((error: unknown) => {
      emit({
        kind: 'warning',
        code: 'files/watch',
        message: `A protected path could not be examined: ${error instanceof Error ? error.message : String(error)}`,
      })
    })
  }

  /** What lies at a reached path though it did not, or in another folder than that of the start; a link in its way is taken instead. */
  const replaced = new Map<string, string>()
  const takeReached = async (one: ReachedPlace): Promise<void> => {
    const info = await lstat(one.path).catch(() => undefined)
    if (info === undefined) return
    const root = roots.find(({ writable, path: outer }) => writable && isWithin(one.path, outer))
    if (root === undefined) return
    const straight = (await realpath(path.dirname(one.path)).catch(() => '')) === path.dirname(one.path)
    if (one.exists && straight && (await folderOf(one.path)) === one.folder) {
      // Replaced in its own folder, which only the host can do: a rename over it took the cover away in the cell.
      const identity = `${info.dev}:${info.ino}`
      const cover = covers.get(one.path)
      if (cover !== undefined && identity !== (replaced.get(one.path) ?? one.identity)) await renew(cover, one.path)
      replaced.set(one.path, identity)
      return
    }
    const relative = one.path.slice(root.path.length + 1)
    await quarantine.take(root.path, straight ? relative : await firstLink(root.path, relative), one.rule)
  }

  const checkPlaces = async (): Promise<void> => {
    for (const one of reached) if (!over) await takeReached(one)
    for (const [key, { match, marks }] of copies) {
      if (over || (await marksOf(absolute(match))) === marks) continue
      copies.delete(key)
      await handle(match, false)
    }
  }

  /** Names tell the watch nothing about these. */
  let poll: NodeJS.Timeout | undefined
  const watchPlaces = () => {
    poll ??= setInterval(() => enqueue(checkPlaces), paceMilliseconds).unref()
  }
  if (reached.length > 0) watchPlaces()

  return {
    see(event) {
      switch (event.kind) {
        case 'appeared': {
          const step = () => handle(event.match, false)
          if (event.match.type !== 'd' || known.has(keyOf(event.match))) return enqueue(step)
          timers.add(setTimeout(() => enqueue(step), folderMilliseconds).unref())
          return
        }
        case 'vanished': {
          const before = known.get(keyOf(event.match))
          // An inode number may come back with other content, so what appears here next counts as replaced.
          if (before !== undefined && before.folder === event.match.folder) before.inode = ''
          return
        }
        case 'limit':
          return emit({
            kind: 'warning',
            code: 'files/watch-limit',
            message: 'The kernel gives no more file watches: planted files are found at the end of the run only.',
            remedy: 'sudo sysctl fs.inotify.max_user_watches=1048576',
          })
        case 'lost':
          return emit({ kind: 'warning', code: 'files/watch-lost', message: `The watch for planted files ended early: ${event.reason}` })
        case 'overflow':
        case 'watching':
          return
      }
    },
    attach(started) {
      cell = started
      for (const cover of waiting.splice(0)) enqueue(() => started.cover(cover))
    },
    async finish(matches) {
      clearInterval(poll)
      for (const timer of timers) clearTimeout(timer)
      await queue
      over = true
      const news = matches.filter((match) => known.get(keyOf(match))?.folder !== match.folder || isJudged(match))
      for (const match of news.toSorted((a, b) => a.path.length - b.path.length)) await handle(match, true)
      for (const one of reached) await takeReached(one)
    },
  }
}

function keyOf(match: Match): string {
  return `${match.id} ${match.root} ${match.path}`
}

/** ctime can't be set back: what changed last before the session is what it was. False where nothing lies there any more. */
async function changedBefore(place: string, moment: number): Promise<boolean> {
  const info = await lstat(place).catch(() => undefined)
  return info !== undefined && info.ctimeMs < moment
}

/** The outermost part of a path that is a link; the path itself where none is. */
async function firstLink(root: string, relative: string): Promise<string> {
  const parts = relative.split('/')
  for (let size = 1; size < parts.length; size += 1) {
    const part = parts.slice(0, size).join('/')
    if ((await lstat(path.join(root, part)).catch(() => undefined))?.isSymbolicLink() === true) return part
  }
  return relative
}

/** What is harmless of a configuration goes back, so that the repository stays one. */
async function putBack(root: string, relative: string, text: string, input: PlantedInput): Promise<void> {
  const folder = path.join(input.sessionFolder, 'rewritten')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const name = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`
  await writeFile(path.join(folder, name), Buffer.from(text, 'latin1'), { mode: 0o644, flag: 'wx' })
  const reason = await input.scout.restore(folder, name, root, relative)
  if (reason !== '' && !reason.includes('something lies there')) {
    input.emit({
      kind: 'warning',
      code: 'files/not-rewritten',
      message: `${relative} was taken away and its harmless part could not be put back: ${reason}`,
    })
  }
}
