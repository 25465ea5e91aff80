// Paths that are obeyed without bearing a name of the tables: where core.hooksPath leads, what a configuration includes, what a protected
// link points to. Only inside the roots; elsewhere the cell has no path to them.
import { readlink, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { parseGitConfig, type ConfigEntry } from './git-config.ts'
import { readSmall } from './judge.ts'
import { gitPart, type Match } from './scout.ts'
import type { Tables } from './tables.ts'
import { isWithin } from '../host/paths.ts'

export interface Reached {
  /** Absolute and canonical where it exists. */
  readonly path: string
  readonly exists: boolean
  readonly how: 'readonly' | 'empty'
  readonly isFolder: boolean
  /** The folder it lies in, `dev:ino`: tells a replaced folder from that of the start. */
  readonly folder: string
  /** `dev:ino` at the start; empty where nothing was. */
  readonly identity: string
  /** Names it in messages: `core.hooksPath of .git/config`. */
  readonly rule: string
}

export interface Reach {
  readonly reached: readonly Reached[]
  /** Configurations (relative to their root) whose addresses carry a password or token. */
  readonly withSecrets: readonly { readonly path: string; readonly keys: readonly string[] }[]
}

const includeDepth = 5

export async function findReach(
  matches: readonly Match[],
  roots: readonly { readonly path: string; readonly writable: boolean }[],
  tables: Tables,
  hidden: ReadonlySet<string>,
): Promise<Reach> {
  const inside = roots.filter(({ writable }) => writable).map((root) => root.path)
  const found: Reached[] = []
  const withSecrets: { path: string; keys: readonly string[] }[] = []
  for (const match of matches) {
    if (match.type !== 'l' && match.note === 0) continue // nearly all of them
    const place = path.join(roots[match.root]?.path ?? '', match.path)
    if ((match.id === gitPart.config || match.id === gitPart.worktreeConfig) && match.type === 'f' && match.note !== 0) {
      const entries = await readConfig(place, includeDepth, inside, found)
      if ((match.note & 5) !== 0)
        for (const entry of entries)
          if (entry.key === 'core.hookspath')
            await reach(workTreeOf(place, entries), entry.value ?? '', `core.hooksPath of ${match.path}`, 'readonly', inside, found)
      const keys = entries.filter(({ value }) => value !== undefined && hasPassword(value)).map(({ key }) => key)
      if (keys.length > 0) withSecrets.push({ path: match.path, keys })
    }
    if (match.type !== 'l') continue
    const meaning = tables.meanings.get(match.id)
    if (meaning === undefined || (meaning.kind === 'hide' && !hidden.has(place))) continue
    await reach(
      path.dirname(place),
      await readLink(place),
      `the link ${match.path}`,
      meaning.kind === 'hide' ? 'empty' : 'readonly',
      inside,
      found,
    )
  }
  return { reached: found.filter((one, index) => found.findIndex((other) => other.path === one.path) === index), withSecrets }
}

/** Every entry, those of included files too; the included files themselves are reached paths. */
async function readConfig(place: string, depth: number, inside: readonly string[], found: Reached[]): Promise<readonly ConfigEntry[]> {
  const text = await readSmall(place)
  if (typeof text !== 'string') return []
  const entries: ConfigEntry[] = []
  for (const entry of parseGitConfig(text).entries) {
    entries.push(entry)
    if (depth === 0 || (entry.section !== 'include' && entry.section !== 'includeif') || entry.name !== 'path') continue
    const target = await reach(path.dirname(place), entry.value ?? '', `${entry.key} of ${path.basename(place)}`, 'readonly', inside, found)
    if (target !== undefined) entries.push(...(await readConfig(target, depth - 1, inside, found)))
  }
  return entries
}

async function reach(
  from: string,
  named: string,
  rule: string,
  how: Reached['how'],
  inside: readonly string[],
  found: Reached[],
): Promise<string | undefined> {
  if (named === '' || named.startsWith('~') || named.startsWith('%(')) return undefined
  const target = path.resolve(from, Buffer.from(named, 'latin1').toString('utf8'))
  const real = await realpath(target).catch(() => undefined)
  const place = real ?? target
  if (!inside.some((root) => isWithin(place, root) && place !== root)) return undefined
  const info = real === undefined ? undefined : await stat(real).catch(() => undefined)
  found.push({
    path: place,
    exists: info !== undefined,
    how,
    isFolder: info?.isDirectory() === true,
    rule,
    folder: await folderOf(place),
    identity: info === undefined ? '' : `${info.dev}:${info.ino}`,
  })
  return real
}

/** `dev:ino` of the folder a path lies in; empty where there is none. */
export async function folderOf(place: string): Promise<string> {
  const info = await stat(path.dirname(place)).catch(() => undefined)
  return info === undefined ? '' : `${info.dev}:${info.ino}`
}

async function readLink(place: string): Promise<string> {
  return readlink(place, { encoding: 'latin1' }).catch(() => '')
}

/** Hooks paths are meant from the top of the work tree; in a git-dir of its own from that folder. */
function workTreeOf(config: string, entries: readonly ConfigEntry[]): string {
  const gitDir = path.dirname(config)
  const tree = entries.findLast(({ key }) => key === 'core.worktree')?.value
  if (tree !== undefined) return path.resolve(gitDir, tree)
  return path.basename(gitDir).toLowerCase() === '.git' ? path.dirname(gitDir) : gitDir
}

/** `https://user:password@host`, or a token in the place of the user. A plain user name of ssh is none. */
function hasPassword(value: string): boolean {
  const user = /^[a-z][a-z0-9+.-]*:\/\/([^/@\s]*)@/i.exec(value)?.[1]
  return user !== undefined && (user.includes(':') || (user.length >= 16 && !/^ssh|^git/i.test(value)))
}
