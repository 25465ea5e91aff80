// The project as the cell sees it: what is read-only or empty in it, what is taken away when it is planted, what git may keep.
// Order: scout.ts finds, covers.ts covers, planted.ts judges what appears, git-view.ts lends git a configuration, close() takes stock.
import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { writeFile } from '../host/at-once.ts'
import { now } from '../host/clock.ts'
import type { Cell } from '../model/engine.ts'
import type { Emit } from '../model/events.ts'
import type { Cover, Mount } from '../model/plan.ts'
import type { Policy, WorkspaceMode } from '../model/policy.ts'
import { coversFor, withReached } from './covers.ts'
import { findOutsideGit, type OutsideGit } from './git-outside.ts'
import { openGitView, type GitView } from './git-view.ts'
import { isText } from './path-bytes.ts'
import { pinsFor } from './pins.ts'
import { openPlanted, type Planted } from './planted.ts'
import { openQuarantine } from './quarantine.ts'
import { gitPart, startScout, type Match, type Scout, type ScoutEvent } from './scout.ts'
import { commandsOf } from './judge.ts'
import { findHomeLinks } from './home-links.ts'
import { pruneIndexes } from './indexes.ts'
import { findReach, type Reach } from './reach.ts'
import { startFile, type StartRecord } from './sweep.ts'
import { makeTables, type Tables } from './tables.ts'
import { warnOfSecrets } from './warnings.ts'

export { sweepAfterCrash } from './sweep.ts'

export interface WorkspaceInput {
  /** Canonical (openProject). */
  readonly project: string
  /** Writable roots, canonical; empty in a read-only workspace. */
  readonly roots: readonly string[]
  readonly files: Policy['files']
  readonly mode: WorkspaceMode
  /** 0700, of this session alone, outside every root. */
  readonly sessionFolder: string
  /** The caller's home on the host: what it links to in a root is protected too. */
  readonly hostHome?: string
  /** The cell's home inside. */
  readonly home: string
  readonly emit: Emit
  readonly signal: AbortSignal
}

export interface Workspace {
  readonly covers: readonly Cover[]
  readonly mounts: readonly Mount[]
  /** Absolute paths that are empty inside. */
  readonly hidden: readonly string[]
  /** From here on covers that the host replaced are put on again. */
  attach(cell: Cell): void
  /** After the cell ended: last sweep, quarantine, git's configuration. Idempotent. */
  close(): Promise<void>
}

/** @throws Failure `workspace/scan`, `workspace/git-link` */
export async function openWorkspace(input: WorkspaceInput): Promise<Workspace> {
  const { project, emit } = input
  const began = now()
  const live = input.roots.length > 0
  const startedAt = Date.now()
  const outside = await findOutsideGit(project, input.roots, live)
  if (outside.kind === 'unusable') {
    emit({
      kind: 'warning',
      code: 'git/outside',
      message: `git will not work inside: the project's git-dir ${outside.target} cannot be used, because ${outside.reason}.`,
      remedy: 'git worktree repair',
    })
  }
  const gitDirs = outside.kind === 'linked' ? [outside.gitDir] : []
  const roots = folders(scoutRoots(input, live ? gitDirs : []))
  const tables = makeTables(input.files, live ? 'all' : 'hidden')
  const indexes = path.join(path.dirname(path.dirname(input.sessionFolder)), 'scan')
  mkdirSync(indexes, { recursive: true, mode: 0o700 })
  let planted: Planted | undefined
  const early: ScoutEvent[] = []
  await using scope = new AsyncDisposableStack()
  const watch = scope.use(
    startScout({
      roots: roots.map((root) => ({ path: root.path, index: indexFile(indexes, root, input.files, live) })),
      patterns: tables.patterns,
      mode: live ? 'watch' : 'commands',
      onEvent: (event) => (planted === undefined ? early.push(event) : planted.see(event)),
    }),
  )
  let current: Scout = watch
  const scout: Pick<Scout, 'move' | 'restore'> = {
    move: (...place) => current.move(...place),
    restore: (...place) => current.restore(...place),
  }
  const matches = await watch.first
  const odd = matches.find(({ path: found }) => !isText(found))
  if (odd !== undefined)
    throw new Failure('workspace/scan', { reason: `the path ${JSON.stringify(odd.path)} is not UTF-8 and has to be protected` })
  const found = coversFor(matches, roots, tables)
  const reach = await reachOf(matches, roots, tables, found.hidden, live)
  const homeLinks =
    live && input.hostHome !== undefined
      ? await findHomeLinks({ hostHome: input.hostHome, roots: input.roots, lifted: tables.lifted, emit })
      : []
  const reached = [...reach.reached, ...homeLinks]
  const covered = withReached(found, reached)
  emit({ kind: 'files.hidden', paths: covered.hidden.map((place) => shownPath(place, project)) })
  emit({ kind: 'files.protected', count: covered.protectedCount, milliseconds: Math.round(now() - began) })
  for (const place of covered.unreadable) {
    emit({
      kind: 'warning',
      code: 'files/unreadable',
      message: `${shownPath(place, project)} cannot be read, so it is read-only inside.`,
      remedy: 'Mend its permissions, or leave it.',
    })
  }
  const views = live ? await openViews(input, matches, tables, outside, scope) : []
  const steps = matches.filter(({ id, type }) => id === gitPart.todo && type === 'f')
  const commands = live ? await commandsOf(steps.map((match) => path.join(roots[match.root]?.path ?? '', match.path))) : []
  const viewed = new Map(views.map((view) => [view.cover.path, view.cover]))
  const covers = [
    ...covered.covers.filter((cover) => !viewed.has(cover.path)),
    ...viewed.values(),
    ...(live && outside.kind === 'linked' ? outside.sealed.map((place): Cover => ({ kind: 'readonly', path: place })) : []),
  ]
  const quarantine = openQuarantine({ sessionFolder: input.sessionFolder, project, scout, emit })
  if (live) {
    planted = openPlanted({
      roots,
      project,
      tables,
      first: matches,
      covers,
      quarantine,
      emit,
      startedAt,
      sessionFolder: input.sessionFolder,
      scout,
      gitDirs,
      reached,
      commands,
    })
    for (const event of early.splice(0)) planted.see(event)
    await writeStart(input.sessionFolder, {
      roots: roots.map((root) => root.path),
      writable: [...input.roots, ...gitDirs],
      gitDirs,
      files: input.files,
      startedAt,
      first: matches,
      reached: reached.map(({ path: place, rule, exists, folder, identity }) => ({ path: place, rule, exists, folder, identity })),
      commands,
      views: views.map(({ gitDir, number, shown }) => ({ gitDir, number, shown })),
    })
  }
  const warned = warnOfSecrets({ project, hidden: covered.hidden, withSecrets: reach.withSecrets, emit })
  const open = scope.move()
  /** By a new scout where the first one was lost: nothing planted may stay for that reason. */
  const lastLook = () =>
    watch.sweep().catch(async () => {
      current = open.use(startScout({ roots, patterns: tables.patterns, mode: 'commands' }))
      await current.first
      return current.sweep()
    })
  let closing: Promise<void> | undefined
  return {
    covers,
    mounts: [
      ...(live ? pinsFor(covers, input.roots) : []),
      ...(outside.kind === 'linked' ? outside.mounts : []),
      ...views.map((view) => view.mount),
    ],
    hidden: covered.hidden,
    attach: (cell) => planted?.attach(cell),
    close: () =>
      (closing ??= (async () => {
        await using _scope = open
        await warned
        try {
          if (planted !== undefined) await planted.finish(await lastLook())
        } finally {
          for (const view of views) await view.close()
          await pruneIndexes(indexes)
        }
      })()),
  }
}

/** Where nothing of the host can be written (readonly, review), only what a hidden link leads to counts: it stays hidden too. */
async function reachOf(
  matches: readonly Match[],
  roots: readonly { readonly path: string; readonly writable: boolean }[],
  tables: Tables,
  hidden: readonly string[],
  live: boolean,
): Promise<Reach> {
  if (live) return findReach(matches, roots, tables, new Set(hidden))
  const all = roots.map((root) => ({ ...root, writable: true }))
  const reach = await findReach(matches, all, tables, new Set(hidden))
  return { ...reach, reached: reach.reached.filter(({ how }) => how === 'empty') }
}

/** The repository at the top of each writable root. */
async function openViews(
  input: WorkspaceInput,
  matches: readonly Match[],
  tables: Tables,
  outside: OutsideGit,
  scope: AsyncDisposableStack,
): Promise<readonly GitView[]> {
  if (tables.lifted.has('.git/config')) return []
  const own = matches.filter(({ id, type, path: found }) => id === gitPart.config && type === 'f' && found === '.git/config')
  const gitDirs = own.flatMap((match) => (input.roots[match.root] === undefined ? [] : [path.join(input.roots[match.root] ?? '', '.git')]))
  if (outside.kind === 'linked') gitDirs.push(outside.common)
  const views = await Promise.all(
    gitDirs.map((gitDir, number) =>
      openGitView({
        gitDir,
        number,
        roots: input.roots,
        sessionFolder: input.sessionFolder,
        shown: shownPath(path.join(gitDir, 'config'), input.project),
        emit: input.emit,
        scope,
      }),
    ),
  )
  return views.filter((view) => view !== undefined)
}

function scoutRoots(input: WorkspaceInput, gitDirs: readonly string[]): readonly Pick<Root, 'path' | 'writable'>[] {
  const all = [
    ...[...input.roots, ...gitDirs].map((root) => ({ path: root, writable: true })),
    ...[input.project, ...input.files.mount.map((mount) => mount.path)].map((root) => ({ path: root, writable: false })),
  ]
  return all.filter((root, index) => all.findIndex((other) => other.path === root.path) === index)
}

/** One per root and table: another table would make the same index useless for both. The scout checks that it is the right one. */
function indexFile(folder: string, root: Root, files: Policy['files'], live: boolean): string {
  const { dev, ino } = root
  return path.join(
    folder,
    [dev, ino, checksum(JSON.stringify([files.hide, files.protect, files.unprotect, live]))].map((part) => part.toString(16)).join('-'),
  )
}

/** FNV-1a: fast, and good enough for a name. */
function checksum(text: string): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193)
  return sum >>> 0
}

function shownPath(place: string, project: string): string {
  return place.startsWith(`${project}/`) ? place.slice(project.length + 1) : place
}

/** What sweepAfterCrash needs when this process is killed. */
async function writeStart(sessionFolder: string, record: StartRecord): Promise<void> {
  await writeFile(path.join(sessionFolder, startFile), JSON.stringify(record), { mode: 0o600 })
}

interface Root {
  readonly path: string
  readonly writable: boolean
  readonly dev: number
  readonly ino: number
}

/** A mount may be a single file: nothing lies below it. */
function folders(roots: readonly Pick<Root, 'path' | 'writable'>[]): readonly Root[] {
  return roots.flatMap((root) => {
    const info = statSync(root.path)
    return info.isDirectory() ? [{ ...root, dev: info.dev, ino: info.ino }] : []
  })
}
