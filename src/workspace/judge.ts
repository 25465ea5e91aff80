// Reads what appeared under a name of git's and says whether it may stay. Content comes from the cell: opened without following a link,
// never as a pipe, bounded. What was judged while the cell runs is judged again at the end, when nobody can swap it.
import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import path from 'node:path'
import { parseGitConfig, type ConfigEntry } from './git-config.ts'
import { judgeEntry, judgeModulesEntry } from './git-harmless.ts'
import { isWithin } from './project.ts'
import { gitPart, type Match } from './scout.ts'

export type ContentVerdict =
  | { readonly kind: 'harmless' }
  /** `rule` says what is wrong with it; `keep` are the entries that may stay, where the file is a configuration. */
  | { readonly kind: 'inert' | 'dangerous'; readonly rule: string; readonly keep?: readonly ConfigEntry[] }

export interface JudgePlaces {
  readonly roots: readonly string[]
  readonly gitDirs: readonly string[]
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
    default:
      return match.type === 'f' ? judgeModules(place) : dangerous('not a file')
  }
}

async function judgeConfig(place: string, { roots }: JudgePlaces): Promise<ContentVerdict> {
  const text = await readSmall(place)
  if (text === undefined) return harmless // gone again
  const parsed = typeof text === 'string' ? parseGitConfig(text) : undefined
  if (parsed === undefined || !parsed.ok) return { kind: 'inert', rule: 'it cannot be read', keep: minimal }
  const gitDir = path.dirname(place)
  const judged = parsed.entries.map((entry) => ({ entry, verdict: judgeEntry(entry, { gitDir, roots }) }))
  const keep = judged.filter(({ verdict }) => verdict === 'harmless').map(({ entry }) => entry)
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
  return real === folder ? harmless : dangerous('it points through a link')
}

/** `commondir` belongs in `.git/worktrees/NAME` and says `../..` there (CVE-2026-40068, CVE-2026-55607: crafted ones redirect git). */
async function judgeCommonDir(place: string): Promise<ContentVerdict> {
  const text = await readSmall(place)
  if (text === undefined) return harmless
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
  const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : false,
  )
  if (file === undefined || file === false) return file
  try {
    const info = await file.stat()
    if (!info.isFile() || info.size > 2 ** 20) return false
    return (await file.readFile()).toString('latin1')
  } finally {
    await file.close()
  }
}
