// The tables and the policy's own globs, numbered for the scout. Pure.
import type { Policy } from '../model/policy.ts'
import { hiddenNames, shownNames } from './hidden-names.ts'
import type { ProtectedName } from './names.ts'
import { protectedNames } from './protected-names.ts'
import type { ScoutPattern } from './scout.ts'

/** What one pattern means. */
export type Meaning =
  | { readonly kind: 'protect'; readonly glob: string; readonly keep: ProtectedName['keep']; readonly reason: string }
  | { readonly kind: 'hide'; readonly glob: string; readonly builtIn: boolean }

export interface Tables {
  readonly patterns: readonly ScoutPattern[]
  readonly meanings: ReadonlyMap<number, Meaning>
  /** Names whose protection the user's policy lifted; of git's own parts: `.git/config`, `.git/hooks`. */
  readonly lifted: ReadonlySet<string>
}

/**
 * @param what `all` for writable roots; `hidden` where nothing can be written anyway
 */
export function makeTables(files: Policy['files'], what: 'all' | 'hidden'): Tables {
  const lifted = new Set(files.unprotect.map(({ glob }) => liftKey(glob)))
  const meanings = new Map<number, Meaning>()
  const patterns: ScoutPattern[] = []
  const add = (glob: string, flags: string, meaning: Meaning) => {
    const id = patterns.length + 1
    patterns.push({ id, flags, glob: spellOut(glob) })
    meanings.set(id, meaning)
  }
  if (what === 'all') {
    for (const { glob, kind, keep, reason, where } of protectedNames) {
      if (lifted.has(liftKey(glob))) continue
      const flags =
        (kind === 'file' ? 'f' : kind === 'folder' ? 'd' : '') + (where === 'repository' ? 'r' : '') + (keep === 'judged' ? 'j' : '')
      add(glob, flags, { kind: 'protect', glob, keep, reason })
    }
    for (const { glob, origin } of files.protect)
      add(glob, 'n', { kind: 'protect', glob, keep: 'sealed', reason: `protected by ${origin.source}` })
  }
  for (const { glob } of hiddenNames) if (!lifted.has(liftKey(glob))) add(glob, '', { kind: 'hide', glob, builtIn: true })
  for (const { glob } of files.hide) add(glob, 'n', { kind: 'hide', glob, builtIn: false })
  return { patterns, meanings, lifted }
}

/** One spelling for a name of the table and what a policy may write for it: `.github/workflows/**`, `.github/workflows/`, `/.vscode`. */
export function liftKey(glob: string): string {
  return glob
    .replace(/^(\*\*\/)+/, '')
    .replace(/(\/\*\*|\/\*|\/)+$/, '')
    .replace(/^\//, '')
    .toLowerCase()
}

/**
 * A .gitignore-like glob with its meaning spelt out: a name without a slash lies at any depth; one of the table with a slash does so too;
 * `a/**` protects the folder itself.
 */
function spellOut(glob: string): string {
  const body = glob.replace(/(\/\*\*)+$/, '').replace(/\/+$/, '')
  if (body.startsWith('/')) return body.slice(1)
  return body.startsWith('**/') ? body : body.includes('/') && !body.startsWith('.') ? body : `**/${body}`
}

/** Templates that carry the name of an environment file but no secret; they stay visible unless the policy names them. */
export function isShown(name: string): boolean {
  return shown.some((pattern) => pattern.test(name))
}

const shown: readonly RegExp[] = shownNames.map((glob) => new RegExp(`^${glob.replace(/[.]/g, '\\.').replaceAll('*', '[^/]*')}$`, 'i'))
