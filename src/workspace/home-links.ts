// A project that is a repository of dotfiles: what the user's home links to in it is obeyed by shells, editors and git of the host, under
// whatever name it has here (attacks.md PER-27). Such files are read-only inside, and the user is told.
import path from 'node:path'
import type { Emit } from '../model/events.ts'
import { folderOf, type Reached } from './reach.ts'
import { liftKey } from './tables.ts'
import { entriesOf, realpath, stat } from '../host/at-once.ts'
import { isWithin } from '../host/paths.ts'

export interface HomeLinksInput {
  /** The caller's home on the host, absolute. */
  readonly hostHome: string
  /** Writable roots, canonical. */
  readonly roots: readonly string[]
  /** Paths whose protection the user's policy lifted (liftKey). */
  readonly lifted: ReadonlySet<string>
  readonly emit: Emit
}

/** Dot files of the home and what lies in ~/.config, as far as they are links into a root. Emits one warning where there are any. */
export async function findHomeLinks({ hostHome, roots, lifted, emit }: HomeLinksInput): Promise<readonly Reached[]> {
  const links = [...(await linksOf(hostHome, /^\./)), ...(await linksOf(path.join(hostHome, '.config'), /./))]
  const found: Reached[] = []
  for (const link of links) {
    const real = await realpath(link).catch(() => undefined)
    const root = real === undefined ? undefined : roots.find((one) => isWithin(real, one) && real !== one)
    if (real === undefined || root === undefined || lifted.has(liftKey(real.slice(root.length)))) continue
    const info = await stat(real).catch(() => undefined)
    const rule = `~/${path.relative(hostHome, link)} leads to it`
    if (info !== undefined)
      found.push({
        path: real,
        exists: true,
        how: 'readonly',
        isFolder: info.isDirectory(),
        rule,
        folder: await folderOf(real),
        identity: `${info.dev}:${info.ino}`,
      })
  }
  const [first] = found
  if (first !== undefined) {
    emit({
      kind: 'warning',
      code: 'files/home-links',
      message: `Your home leads into this project (${first.path}: ${first.rule}${found.length > 1 ? `; ${found.length - 1} more` : ''}). These files are read-only inside, since programs of the host obey them.`,
      remedy: 'To let the agent change one, name it in files.unprotect of your policy.',
    })
  }
  return found
}

async function linksOf(folder: string, name: RegExp): Promise<readonly string[]> {
  const entries = await entriesOf(folder).catch(() => [])
  return entries.filter((entry) => entry.isSymbolicLink() && name.test(entry.name)).map((entry) => path.join(folder, entry.name))
}
