// Reads what appeared under a name of git's and says whether it may stay. Content comes from the cell: opened without following a link,
// never as a pipe, bounded. What was judged while the cell runs is judged again at the end, when nobody can swap it.
import { constants, fstatSync, readSync } from 'node:fs'
import { readlink } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { formatGitConfig, parseGitConfig, type ConfigEntry } from './git-config.ts'
import { judgeEntry, judgeModulesEntry } from './git-harmless.ts'
import { gitPart, type Match } from './scout.ts'
import { open, realpath, stat } from '../host/at-once.ts'
import { isWithin } from '../host/paths.ts'

export type ContentVerdict =
  | { readonly kind: 'harmless' }
  /** `rule` says what is wrong with it; `keep` is the text (latin1) that may stay in its place. */
  | { readonly kind: 'inert' | 'dangerous'; readonly rule: string; readonly keep?: string }

export interface JudgePlaces {
  readonly roots: readonly string[]
  readonly gitDirs: readonly string[]
  /** Commands that a rebase of the start had still to run. */
  readonly commands: ReadonlySet<string>
}

const harmless: ContentVerdict = { kind: 'harmless' }
/** git refuses it as it is; whoever writes it may not have finished. */
const unfinished = (rule: string): ContentVerdict => ({ kind: 'inert', rule })
const dangerous = (rule: string): ContentVerdict => ({ kind: 'dangerous', rule })

export async function judgeContent(match: Match, place: string, places: JudgePlaces): Promise<ContentVerdict> {
  switch (match.id) {
    case gitPart.hooks:
      return match.type === 'd' ? harmless : dangerous('not a folder')
    case gitPart.hook:
      return dangerous('')
    case gitPart.config:
    case gitPart.worktreeConfig:
      return match.type === 'f' ? judgeConfig(place, places) : dangerous('not a file')
    case gitPart.link:
      return match.type === 'f' ? judgeLink(place, places) : dangerous('a link')
    case gitPart.commondir:
      return match.type === 'f' ? judgeCommonDir(place) : dangerous('not a file')
    case gitPart.innerLink:
      return judgeInnerLink(place)
    case gitPart.todo:
      return match.type === 'f' ? judgeSteps(place, places) : dangerous('not a file')
    default:
      return match.type === 'f' ? judgeModules(place) : dangerous('not a file')
  }
}

async function judgeConfig(place: string, { roots }: JudgePlaces): Promise<ContentVerdict> {
  const text = await readSmall(place)
  if (text === undefined) return harmless // gone again
  const parsed = typeof text === 'string' ? parseGitConfig(text) : undefined
  if (parsed === undefined || !parsed.ok) return { kind: 'inert', rule: 'it cannot be read', keep: formatGitConfig(minimal) }
  const gitDir = path.dirname(place)
  const judged = parsed.entries.map((entry) => ({ entry, verdict: judgeEntry(entry, { gitDir, roots }) }))
  const keep = formatGitConfig(judged.filter(({ verdict }) => verdict === 'harmless').map(({ entry }) => entry))
  const named = (wanted: string) => judged.filter(({ verdict }) => verdict === wanted).map(({ entry }) => entry.key)
  const bad = named('dangerous')
  if (bad.length > 0) return { kind: 'dangerous', rule: list(bad), keep }
  return named('inert').length > 0 ? { kind: 'inert', rule: list(named('inert')), keep } : harmless
}

const minimal: readonly ConfigEntry[] = [
  { key: 'core.repositoryformatversion', section: 'core', subsection: undefined, name: 'repositoryformatversion', value: '0' },
]

/** A `.git` file may point only to a git-dir inside a root, where its configuration is judged itself (attacks.md PER-07). */
async function judgeLink(place: string, { roots, gitDirs }: JudgePlaces): Promise<ContentVerdict> {
  const text = await readSmall(place)
  if (text === undefined) return harmless
  const target = typeof text === 'string' ? /^gitdir: (.+?)[\r\n]*$/.exec(text)?.[1] : undefined
  if (target === undefined) return unfinished('it is not a link to a git-dir')
  const folder = path.resolve(path.dirname(place), Buffer.from(target, 'latin1').toString('utf8'))
  const inside = (candidate: string) => [...roots, ...gitDirs].some((root) => isWithin(candidate, root))
  if (!inside(folder)) return dangerous('it points out of the project')
  const real = await realpath(folder).catch(() => folder)
  if (real !== folder) return dangerous('it points through a link')
  return (await isUnsearched(folder, [...roots, ...gitDirs])) ? dangerous('it points into the inner folders of another git-dir') : harmless
}

/** The folders of a git-dir that nobody searches, since git keeps only objects and names there: no place for another git-dir. */
const unsearched = /^(objects|refs|logs|info|lfs|rr-cache|branches|reftable|hooks)$/i

async function isUnsearched(folder: string, roots: readonly string[]): Promise<boolean> {
  for (let at = folder; roots.some((root) => isWithin(at, root)) && at !== path.dirname(at); at = path.dirname(at)) {
    if (!unsearched.test(path.basename(at))) continue
    const outer = path.dirname(at)
    if (path.basename(outer).toLowerCase() === '.git' || (await stat(path.join(outer, 'HEAD')).catch(() => undefined)) !== undefined)
      return true
  }
  return false
}

/** git writes through links in its own folder; only HEAD may be one, as core.preferSymlinkRefs makes it. */
async function judgeInnerLink(place: string): Promise<ContentVerdict> {
  const target = await readlink(place).catch(() => undefined)
  if (target === undefined) return harmless
  const isHead = path.basename(place) === 'HEAD' && /^refs\/heads\/[^/]/.test(target) && !target.split('/').includes('..')
  if (isHead) return harmless
  // `git init` and `git clone` try whether links work, by one that leads nowhere and is gone at once (git's setup.c, create_default_files).
  const isTrial = target === 'testing' && /^t[A-Za-z0-9]{6}$/.test(path.basename(place))
  return isTrial ? unfinished('it is what git tries links with, and was left') : dangerous('git would write wherever it leads')
}

const strategies: ReadonlySet<string> = new Set(['recursive', 'resolve', 'octopus', 'ours', 'subtree', 'ort'])
const isCommand = (line: string) => /^[ \t]*(x|exec)([ \t]|$)/.test(line)

/** What `git rebase --continue` would do next (git-rebase(1)): steps that run a command stay only where the host itself had asked for them. */
async function judgeSteps(place: string, { commands }: JudgePlaces): Promise<ContentVerdict> {
  const text = await readSmall(place)
  if (text === undefined) return harmless
  if (typeof text !== 'string') return unfinished('it cannot be read')
  if (path.basename(place).toLowerCase() === 'strategy') return strategies.has(text.trim()) ? harmless : dangerous('it names a program')
  const lines = text.split('\n')
  const isOurs = (line: string) => !isCommand(line) || commands.has(line.trim())
  if (lines.every(isOurs)) return harmless
  return { kind: 'inert', rule: 'git rebase --continue would run its commands', keep: lines.filter(isOurs).join('\n') }
}

/** The commands among the steps of the rebases that were under way at the start. */
export async function commandsOf(places: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(places.map(readSmall))
  return texts.flatMap((text) =>
    typeof text === 'string'
      ? text
          .split('\n')
          .filter(isCommand)
          .map((line) => line.trim())
      : [],
  )
}

/** `commondir` belongs in `.git/worktrees/NAME` and says `../..` there (CVE-2026-40068, CVE-2026-55607: crafted ones redirect git). */
async function judgeCommonDir(place: string): Promise<ContentVerdict> {
  const text = await readSmall(place)
  if (text === undefined) return harmless
  if (text === '') return unfinished('it is empty')
  const folder = path.dirname(place)
  const target = typeof text === 'string' ? path.resolve(folder, text.replace(/[\r\n]+$/, '')) : ''
  return path.basename(path.dirname(folder)) === 'worktrees' && target === path.dirname(path.dirname(folder))
    ? harmless
    : dangerous('it points to another repository')
}

async function judgeModules(place: string): Promise<ContentVerdict> {
  const text = await readSmall(place)
  if (text === undefined) return harmless
  const parsed = typeof text === 'string' ? parseGitConfig(text) : undefined
  if (parsed === undefined || !parsed.ok) return unfinished('it cannot be read')
  const bad = parsed.entries.filter((entry) => !judgeModulesEntry(entry)).map(({ key }) => key)
  return bad.length > 0 ? dangerous(list(bad)) : harmless
}

function list(keys: readonly string[]): string {
  const distinct = [...new Set(keys)]
  return distinct.slice(0, 5).join(', ') + (distinct.length > 5 ? ` and ${distinct.length - 5} more` : '')
}

/** latin1 text of a file of at most 1 MiB; `false` for anything else that lies there; undefined where nothing does. */
export async function readSmall(place: string): Promise<string | false | undefined> {
  const bytes = await readPlain(place, 2 ** 20)
  return Buffer.isBuffer(bytes) ? bytes.toString('latin1') : bytes
}

/** The bytes of a plain file of at most `most` bytes; `false` for a link, a pipe, a larger file; undefined where nothing lies. */
export async function readPlain(place: string, most: number): Promise<Buffer | false | undefined> {
  try {
    using file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const info = fstatSync(file.fd)
    return info.isFile() && info.size <= most ? await readUpTo(file.fd, info.size, most) : false
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return error.code === 'ENOENT' ? undefined : false
  }
}

/** Once a megabyte others have their turn. `false` where there is more after all: the cell may write while this reads. */
async function readUpTo(fd: number, size: number, most: number): Promise<Buffer | false> {
  const parts: Buffer[] = []
  let length = 0
  for (;;) {
    const part = Buffer.allocUnsafe(Math.min(Math.max(size - length, 0) + 1, 2 ** 20))
    const got = readSync(fd, part)
    if (got === 0) return Buffer.concat(parts)
    parts.push(part.subarray(0, got))
    length += got
    if (length > most) return false
    if (got === 2 ** 20) await othersTurn()
  }
}
