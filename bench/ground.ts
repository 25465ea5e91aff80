// Where the measurements happen: a scratch folder with a home of its own, and the projects they run in.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'

export const root: string = path.dirname(import.meta.dirname)
export const anchorhold: string = path.join(root, 'bin/anchorhold')
export const bundledNode: string = path.join(root, 'node_modules/node/bin/node')
/** Peers are kept between runs; nothing else is. */
export const peerCache: string = path.join(homedir(), '.cache/anchorhold-bench')

export interface Ground {
  readonly folder: string
  /** The environment of every subject: nothing of the caller's anchorhold is touched. */
  readonly env: Readonly<Record<string, string>>
  readonly remove: () => void
}

export function makeGround(): Ground {
  const folder = mkdtempSync(path.join(tmpdir(), 'anchorhold-bench-'))
  const home = path.join(folder, 'home')
  mkdirSync(home)
  const env = {
    HOME: home,
    PATH: `${path.dirname(bundledNode)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    LANG: 'C.UTF-8',
    TMPDIR: tmpdir(),
  }
  return { folder, env, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A small repository, as a project usually is. */
export function smallProject(ground: Ground): string {
  const project = path.join(ground.folder, 'small')
  mkdirSync(project)
  writeFileSync(path.join(project, 'package.json'), '{ "name": "small" }\n')
  git(ground, project, 'init', '-q')
  return project
}

/** `count` small files in folders of 100. */
export function manyFiles(ground: Ground, count: number): string {
  const project = path.join(ground.folder, `files-${count}`)
  for (let made = 0; made < count;) {
    const folder = path.join(project, `part-${made % 30}`, `folder-${made}`)
    mkdirSync(folder, { recursive: true })
    for (let i = 0; i < 100 && made < count; i++, made++) writeFileSync(path.join(folder, `file-${i}.txt`), `${made}\n`)
  }
  git(ground, project, 'init', '-q')
  return project
}

/** `count` repositories in one project; each has what git needs to take it for one. */
export function nestedRepositories(ground: Ground, count: number): string {
  const project = path.join(ground.folder, `repositories-${count}`)
  for (let made = 0; made < count; made++) {
    const gitDir = path.join(project, `group-${made % 20}`, `repository-${made}`, '.git')
    for (const folder of ['hooks', 'objects', 'refs/heads']) mkdirSync(path.join(gitDir, folder), { recursive: true })
    writeFileSync(path.join(gitDir, 'HEAD'), 'ref: refs/heads/main\n')
    writeFileSync(path.join(gitDir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = false\n')
  }
  git(ground, project, 'init', '-q')
  return project
}

export function git(ground: Ground, project: string, ...args: readonly string[]): void {
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.test', '-c', 'init.defaultBranch=main']
  execFileSync('git', [...identity, ...args], { cwd: project, env: ground.env, stdio: 'ignore' })
}
