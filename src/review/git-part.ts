// Tells git's own files by where they lie, at any depth and in any case of letters. Pure. Used by collect.ts and the risk rules.
import type { GitPart } from '../model/change.ts'

export interface InGit {
  /** The git folder: `.git`, `sub/.git`, `.git/modules/x`, `.git/worktrees/y`. */
  readonly folder: string
  /** Inside it; empty for the folder itself (or for a `.git` file). */
  readonly inner: string
  readonly part: GitPart
}

/** Undefined for what is no part of a git folder. `.GIT` and `git~1` count: some file systems take them for `.git`. */
export function gitPartOf(path: string): InGit | undefined {
  const parts = path.split('/')
  const at = parts.findIndex(isGitName)
  if (at === -1) return undefined
  let end = at + 1
  // A submodule's or work tree's own folder lies inside; a submodule's name may have slashes, so its parts are looked for.
  while (['modules', 'worktrees'].includes(parts[end]?.toLowerCase() ?? '')) {
    const known = parts.findIndex((part, index) => index > end + 1 && part !== undefined && knownNames.has(part.toLowerCase()))
    end = known === -1 ? parts.length : known
  }
  const inner = parts.slice(end).join('/')
  return { folder: parts.slice(0, end).join('/'), inner, part: partOfGitFolder(inner) }
}

/** Spellings that a case-insensitive or Windows file system opens as `.git` (CVE-2014-9390, CVE-2019-1352). */
export function isGitName(name: string): boolean {
  return /^(?:\.git|git~\d+)[. ]*$/i.test(name.replace(/[\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, ''))
}

const knownNames: ReadonlySet<string> = new Set([
  'head',
  'config',
  'config.worktree',
  'hooks',
  'objects',
  'refs',
  'logs',
  'info',
  'index',
  'packed-refs',
  'commondir',
  'gitdir',
  'modules',
  'worktrees',
  'description',
  'orig_head',
  'fetch_head',
  'commit_editmsg',
])

/** References, objects, the index and the traces of commands: read as commits, never copied. */
const history =
  /^(?:objects|refs|logs|lost-found|rebase-merge|rebase-apply|sequencer)(?:\/|$)|^(?:HEAD|index|packed-refs|shallow|[A-Z_]+_HEAD|[A-Z_]+_(?:EDIT)?MSG|gc\.pid|gc\.log|.*\.lock|sharedindex\.[0-9a-f]+)$/

/** What a path inside a git folder is. */
function partOfGitFolder(inner: string): GitPart {
  // What changes how objects are found or read is no history.
  if (/^objects\/info(?:\/|$)|^refs\/replace(?:\/|$)/.test(inner)) return inner === 'objects/info' ? 'history' : 'other'
  if (/^hooks(?:\/|$)/i.test(inner)) return 'hooks'
  if (/^config(?:\.worktree)?$/i.test(inner)) return 'config'
  return history.test(inner) ? 'history' : 'other'
}
