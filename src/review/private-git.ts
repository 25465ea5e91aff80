// git over a project, in a git-dir of anchorhold's own: none of the project's configuration, hooks, filters or attributes is in force, and
// nothing is written to the project (attacks.md TRM-21). Used by net.ts and remembered.ts.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { copyFile, mkdir, readdir, readText, writeFile } from '../host/at-once.ts'
import { systemPath } from '../host/process.ts'
import { parseGitConfig } from '../workspace/git-config.ts'
import { pathOf } from '../workspace/path-bytes.ts'

export interface PrivateGit {
  /** Rejects where git can't be started, fails, or is taken too long. `input` is its standard input. */
  run(args: readonly string[], input?: Buffer): Promise<Buffer>
}

/** What the project's own attributes say is not looked at: bytes are bytes. */
const attributes = '* -text -eol -filter -ident -working-tree-encoding -diff -merge\n'

const settings = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.autocrlf', 'false'],
  ['core.excludesFile', '/dev/null'],
  ['core.fsync', 'none'],
  ['core.looseCompression', '0'],
  ['core.bigFileThreshold', '1g'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
] as const

/** For a git-dir that `makePrivateGit` made. */
export function privateGit(folder: string, project: string, signal?: AbortSignal): PrivateGit {
  const env = {
    PATH: systemPath,
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    GIT_DIR: folder,
    GIT_WORK_TREE: project,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_TERMINAL_PROMPT: '0',
  }
  const fixed = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return {
    run: (args, input) =>
      new Promise((resolve, reject) => {
        const child = spawn('git', [...fixed, ...args], {
          cwd: project,
          env,
          stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'ignore'],
          ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' }),
        })
        const chunks: Buffer[] = []
        child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
        child.stdin?.on('error', () => undefined) // it may end without reading its input
        child.stdin?.end(input)
        child.on('error', reject)
        child.on('close', (code) =>
          code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`git ${args[0] ?? ''} ended with code ${code ?? 'none'}`)),
        )
      }),
  }
}

export interface ProjectGit {
  /** Where the index is. */
  readonly gitDir: string
  /** Where objects are. */
  readonly common: string
}

/** A git-dir that knows the project's objects and has a copy of its index; without `git` an empty one. */
export async function makePrivateGit(folder: string, git: ProjectGit | undefined): Promise<void> {
  for (const name of ['refs', 'info', 'objects/info']) await mkdir(path.join(folder, name), { recursive: true, mode: 0o700 })
  const put = (name: string, text: string) => writeFile(path.join(folder, name), text, { mode: 0o600 })
  const format = git === undefined ? undefined : await objectFormat(path.join(git.common, 'config'))
  const extensions = format === undefined ? '' : `[extensions]\n\tobjectFormat = ${format}\n`
  await Promise.all([
    put('HEAD', 'ref: refs/heads/none\n'),
    put('config', `[core]\n\trepositoryFormatVersion = ${format === undefined ? 0 : 1}\n\tbare = false\n${extensions}`),
    put('info/attributes', attributes),
    ...(git === undefined
      ? []
      : [put('objects/info/alternates', `${quoted(path.join(git.common, 'objects'))}\n`), copyIndex(git.gitDir, folder)]),
  ])
  if (git !== undefined) await copyFile(path.join(git.common, 'info/exclude'), path.join(folder, 'info/exclude')).catch(() => undefined)
}

/** The index may be split in two files. */
async function copyIndex(gitDir: string, folder: string): Promise<void> {
  const names = (await readdir(gitDir)).filter((name) => name === 'index' || name.startsWith('sharedindex.'))
  for (const name of names) await copyFile(path.join(gitDir, name), path.join(folder, name))
}

/** Only the one word that git needs to read the index; nothing else of that file is in force. */
async function objectFormat(config: string): Promise<string | undefined> {
  const text = await readText(config).catch(() => '')
  const value = parseGitConfig(text).entries.findLast(({ key }) => key === 'extensions.objectformat')?.value
  return value === 'sha256' ? value : undefined
}

/** As gitrepository-layout(5) wants names that begin with a quotation mark or a hash. */
function quoted(place: string): string {
  return /^["#]|[\n"\\]/.test(place) ? `"${place.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"` : place
}

export interface Tagged {
  /** C changed, R removed, ? unknown to the index. */
  readonly tag: string
  readonly path: string
}

/** `ls-files -z -t`. A deleted file is listed as changed too: once is enough. */
export function parseTags(bytes: Buffer): readonly Tagged[] {
  const found = new Map<string, Tagged>()
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at)
    const tag = bytes.toString('latin1', at, at + 1)
    const place = pathOf(bytes.subarray(at + 2, end))
    if (found.get(place)?.tag !== 'R') found.set(place, { tag, path: place })
    at = end + 1
  }
  return [...found.values()]
}
