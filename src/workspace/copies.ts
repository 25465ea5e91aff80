// A further work tree or clone of the project brings the project's own protected files: the same bytes at the same place below its top.
// Those are not new code, and stay as long as they are the same. Neighbour: planted.ts asks.
import { lstat, readdir, readlink } from 'node:fs/promises'
import path from 'node:path'
import { readPlain } from './judge.ts'
import type { Match } from './scout.ts'

/** Where the same pattern matched at the start, at the same place below the top of the repository in which `match` lies. */
export async function originalOf(match: Match, root: string, first: readonly Match[]): Promise<string | undefined> {
  const candidates = first.filter(({ id, type, path: at }) => id === match.id && type === match.type && match.path.endsWith(`/${at}`))
  for (const { root: number, path: at } of candidates) {
    if (number !== match.root) continue
    const top = match.path.slice(0, -at.length - 1)
    const git = await lstat(path.join(root, top, '.git')).catch(() => undefined)
    if (git?.isFile() === true || git?.isDirectory() === true) return path.join(root, at)
  }
  return undefined
}

const mostEntries = 300
const largestFile = 2 ** 20

/**
 * What tells whether a copy was touched since (names, inodes, sizes, times), where it has the same names, kinds, rights to execute and bytes
 * as the original; undefined where it differs or is too large to compare.
 */
export async function sameAs(copy: string, original: string): Promise<string | undefined> {
  const marks: string[] = []
  const same = async (one: string, other: string): Promise<boolean> => {
    const [a, b] = await Promise.all([lstat(one).catch(() => undefined), lstat(other).catch(() => undefined)])
    if (a === undefined || b === undefined || marks.push(markOf(one, a)) > mostEntries) return false
    if (a.isSymbolicLink() && b.isSymbolicLink()) return (await readlink(one)) === (await readlink(other))
    if (a.isFile() && b.isFile()) {
      if (a.size !== b.size || a.nlink > 1 || (a.mode & 0o7111) !== (b.mode & 0o7111)) return false
      const [x, y] = await Promise.all([readPlain(one, largestFile), readPlain(other, largestFile)])
      return Buffer.isBuffer(x) && Buffer.isBuffer(y) && x.equals(y)
    }
    if (!a.isDirectory() || !b.isDirectory()) return false
    const [x, y] = await Promise.all([readdir(one), readdir(other)])
    if (x.toSorted().join('/') !== y.toSorted().join('/')) return false
    for (const name of x) if (!(await same(path.join(one, name), path.join(other, name)))) return false
    return true
  }
  const isSame = await same(copy, original).catch(() => false)
  return isSame && marks.join('\n') === (await marksOf(copy)) ? marks.join('\n') : undefined
}

/** The present marks of everything below a path, in the order of `sameAs`; '' where nothing lies there. */
export async function marksOf(place: string): Promise<string> {
  const marks: string[] = []
  const visit = async (at: string): Promise<void> => {
    const info = await lstat(at)
    marks.push(markOf(at, info))
    if (info.isDirectory() && marks.length <= mostEntries) for (const name of await readdir(at)) await visit(path.join(at, name))
  }
  return visit(place).then(
    () => marks.join('\n'),
    () => '',
  )
}

function markOf(
  place: string,
  info: { readonly ino: number; readonly size: number; readonly ctimeMs: number; readonly mode: number },
): string {
  return `${path.basename(place)} ${info.ino} ${info.size} ${info.ctimeMs} ${info.mode}`
}
