// Paths that the host's own start files name: shells, git, systemd, the desktop. Read for paths alone, and bounded. Asked by obeyed.ts.
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'

/** Below home. A folder stands for the files in it. */
const startFiles: readonly { readonly file: string; readonly when: string }[] = [
  ...['.bashrc', '.bash_profile', '.bash_aliases', '.bash_login', '.profile', '.bashrc.d'].map((file) => ({ file, when: 'each shell' })),
  ...['.zshrc', '.zshenv', '.zprofile', '.zlogin', '.config/fish/config.fish', '.config/fish/conf.d'].map((file) => ({
    file,
    when: 'each shell',
  })),
  ...['.gitconfig', '.config/git/config'].map((file) => ({ file, when: 'git' })),
  ...['.vimrc', '.config/nvim/init.lua', '.config/nvim/init.vim', '.emacs', '.emacs.d/init.el'].map((file) => ({
    file,
    when: 'the editor',
  })),
  { file: '.tmux.conf', when: 'each tmux' },
  { file: '.xprofile', when: 'each login' },
  { file: '.config/systemd/user', when: 'systemd' },
  { file: '.config/autostart', when: 'each login' },
  { file: '.ssh/config', when: 'each ssh' },
  { file: '.claude/settings.json', when: 'Claude Code outside the wall' },
]
const largest = 256 * 1024
const mostEntries = 200

export interface Named {
  /** Real path of a file, or of a folder where the line is one that takes folders. */
  readonly target: string
  /** The start file, and what reads it. */
  readonly from: string
  readonly when: string
}

/** Every path that exists and is named by a start file. Never rejects. */
export async function namedByStartFiles(home: string): Promise<readonly Named[]> {
  const found: Named[] = []
  for (const { file, when } of startFiles) {
    for (const from of await filesAt(path.join(home, file))) {
      const lines = (await readFile(from, 'utf8').catch(() => '')).split('\n').filter((line) => !/^\s*[#;"]/.test(line))
      for (const line of lines) {
        const takesFolders = /hooksPath|templateDir/i.test(line)
        for (const written of pathsIn(line, home)) {
          const target = await realpath(written).catch(() => undefined)
          const facts = target === undefined ? undefined : await stat(target).catch(() => undefined)
          if (target !== undefined && (facts?.isFile() === true || (takesFolders && facts?.isDirectory() === true)))
            found.push({ target, from, when })
        }
      }
    }
  }
  return found
}

function pathsIn(line: string, home: string): readonly string[] {
  return [...line.matchAll(/(?:~|\$HOME|\$\{HOME\}|%h)?\/[\w.@+%/-]{2,500}/g)].map(([text]) =>
    path.normalize(text.replace(/^(?:~|\$HOME|\$\{HOME\}|%h)(?=\/)/, () => home)),
  )
}

/** The file, or the regular files in the folder, that are of a size that somebody writes. */
async function filesAt(place: string): Promise<readonly string[]> {
  const facts = await stat(place).catch(() => undefined)
  if (facts?.isFile() === true) return facts.size <= largest ? [place] : []
  if (facts?.isDirectory() !== true) return []
  const names = await readdir(place).catch((): string[] => [])
  const inner = names.slice(0, mostEntries).map((name) => path.join(place, name))
  const kept = await Promise.all(
    inner.map(async (file) => {
      const own = await stat(file).catch(() => undefined)
      return own?.isFile() === true && own.size <= largest ? file : undefined
    }),
  )
  return kept.filter((file) => file !== undefined)
}
