// What of writable folders the host runs or obeys: programs on PATH, links from the home folder, what start files name.
import { lstat, readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { isWithin } from '../../host/paths.ts'
import { namedByStartFiles } from './start-files.ts'

export interface Obeyed {
  readonly root: string
  readonly file: string
  /** As the end of "the host runs what the agent writes there: …". */
  readonly how: string
}

/** Folders below home of which each entry is run or obeyed; a link there leads to what is obeyed. */
const obeyedFolders: readonly { readonly folder: string; readonly how: string }[] = [
  { folder: '', how: 'it is read at the start of a shell or tool, through a link in your home folder' },
  { folder: 'bin', how: 'it is a command of yours' },
  { folder: '.local/bin', how: 'it is a command of yours' },
  { folder: '.config', how: 'a program reads its settings there, through a link in ~/.config' },
  { folder: '.config/systemd/user', how: 'systemd starts it for you' },
  { folder: '.config/autostart', how: 'it starts at your login' },
  { folder: '.config/fish/conf.d', how: 'fish reads it at each start' },
  { folder: '.bashrc.d', how: 'the shell reads it at each start' },
  { folder: '.git-templates/hooks', how: 'git copies it into each new repository' },
  { folder: '.claude', how: 'Claude Code obeys it outside the wall' },
  { folder: '.vscode', how: 'the editor obeys it' },
]
/** Entries of one folder that are looked at. */
const most = 2_000

/** Every such place in one of the roots, each once. Never rejects. */
export async function obeyedPlaces(
  roots: readonly string[],
  home: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Obeyed[]> {
  const found = new Map<string, Obeyed>()
  const add = (file: string, how: string): void => {
    const root = roots.find((each) => isWithin(file, each))
    if (root !== undefined && !found.has(file)) found.set(file, { root, file, how })
  }
  // `npm run` puts the project's own programs there, for that one run.
  const onPath = (env['PATH'] ?? '').split(':').filter((each) => path.isAbsolute(each) && !each.includes('node_modules/.bin'))
  for (const entry of onPath) {
    const real = await realpath(entry).catch(() => undefined)
    if (real !== undefined) add(real, 'it is on your PATH')
  }
  for (const folder of roots) {
    for (const { folder: obeyed, how } of obeyedFolders) {
      const real = obeyed === '' ? undefined : await realpath(path.join(home, obeyed)).catch(() => undefined)
      if (real !== undefined && isWithin(real, folder)) add(real, how)
    }
  }
  for (const { folder, how } of obeyedFolders) for (const real of await linkedFrom(path.join(home, folder), folder === '')) add(real, how)
  for (const { target, from, when } of await namedByStartFiles(home)) add(target, `${when} reads or runs it, because ${from} names it`)
  return [...found.values()]
}

/** Where the links of a folder lead; of the home folder those whose name begins with a dot. */
async function linkedFrom(folder: string, dotted: boolean): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => [])
  const wanted = names.filter((name) => !dotted || name.startsWith('.')).slice(0, most)
  const targets = await Promise.all(
    wanted.map(async (name) => {
      const file = path.join(folder, name)
      const link = await lstat(file).catch(() => undefined)
      return link?.isSymbolicLink() === true ? realpath(file).catch(() => undefined) : undefined
    }),
  )
  return targets.filter((target) => target !== undefined)
}
