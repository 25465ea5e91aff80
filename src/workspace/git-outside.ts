// A project that is a linked work tree or a submodule: its `.git` is a file, its git-dir lies elsewhere. What of it the cell needs, and
// no more: objects and refs writable, the rest of the main repository read-only. Believed only where the git-dir points back.
import { lstatSync } from 'node:fs'
import path from 'node:path'
import type { Mount } from '../model/plan.ts'
import { parseGitConfig } from './git-config.ts'
import { readSmall } from './judge.ts'
import { mkdir, realpath, stat } from '../host/at-once.ts'
import { isWithin } from '../host/paths.ts'

export type OutsideGit =
  | { readonly kind: 'none' }
  /** git will not work inside; `reason` completes "…, because". */
  | { readonly kind: 'unusable'; readonly target: string; readonly reason: string }
  | {
      readonly kind: 'linked'
      /** The git-dir of this work tree alone: searched and watched like a root. */
      readonly gitDir: string
      /** Where config and hooks are; the same as gitDir for a submodule. */
      readonly common: string
      readonly mounts: readonly Mount[]
      /** Files of the git-dir that stay as they are, beside those the scout finds. */
      readonly sealed: readonly string[]
    }

/**
 * Resolved once, at the start (CVE-2026-55607, CVE-2026-40068).
 * @param roots where the git-dir may lie without anything more to do
 */
export async function findOutsideGit(project: string, roots: readonly string[], writable: boolean): Promise<OutsideGit> {
  // Asked at once: what every start waits for should not go through the thread pool.
  if (lstatSync(path.join(project, '.git'), { throwIfNoEntry: false })?.isFile() !== true) return { kind: 'none' }
  const link = await readSmall(path.join(project, '.git'))
  const named = typeof link === 'string' ? /^gitdir: (.+?)[\r\n]*$/.exec(link)?.[1] : undefined
  if (named === undefined) return { kind: 'none' }
  const target = path.resolve(project, Buffer.from(named, 'latin1').toString('utf8'))
  const unusable = (reason: string): OutsideGit => ({ kind: 'unusable', target, reason })
  const gitDir = await realpath(target).catch(() => undefined)
  if (gitDir === undefined) return unusable('it does not exist')
  if (roots.some((root) => isWithin(gitDir, root))) return { kind: 'none' }
  const commonText = await readSmall(path.join(gitDir, 'commondir'))
  if (typeof commonText !== 'string') return submodule(project, gitDir, writable, unusable)
  const common = await realpath(path.resolve(gitDir, commonText.trim())).catch(() => undefined)
  if (common === undefined || path.dirname(gitDir) !== path.join(common, 'worktrees'))
    return unusable('it is not a work tree of the repository it names')
  if (!(await isRepository(common))) return unusable('the repository behind it is not one')
  if (isWithin(project, common) || isWithin(common, project)) return unusable('the work tree lies in its own git-dir')
  const back = await readSmall(path.join(gitDir, 'gitdir'))
  if (typeof back !== 'string' || path.resolve(gitDir, back.trim()) !== path.join(project, '.git'))
    return unusable('it does not point back to this folder')
  if (!writable) return { kind: 'linked', gitDir, common, mounts: [{ kind: 'bind', from: common, to: common, mode: 'ro' }], sealed: [] }
  await mkdir(path.join(common, 'logs'), { recursive: true }) // where git writes the reflog of each branch
  const open = [...['objects', 'refs', 'logs'].map((name) => path.join(common, name)), gitDir]
  return {
    kind: 'linked',
    gitDir,
    common,
    mounts: [
      { kind: 'bind', from: common, to: common, mode: 'ro' },
      ...open.map((folder): Mount => ({ kind: 'bind', from: folder, to: folder, mode: 'rw' })),
    ],
    sealed: [path.join(gitDir, 'gitdir')],
  }
}

async function submodule(
  project: string,
  gitDir: string,
  writable: boolean,
  unusable: (reason: string) => OutsideGit,
): Promise<OutsideGit> {
  if (!(await isRepository(gitDir))) return unusable('it is not a git-dir')
  if (isWithin(project, gitDir) || isWithin(gitDir, project)) return unusable('the work tree lies in its own git-dir')
  const text = await readSmall(path.join(gitDir, 'config'))
  const parsed = typeof text === 'string' ? parseGitConfig(text) : undefined
  const tree = parsed?.entries.findLast(({ key }) => key === 'core.worktree')?.value
  if (tree === undefined || path.resolve(gitDir, Buffer.from(tree, 'latin1').toString('utf8')) !== project)
    return unusable('it does not point back to this folder')
  return {
    kind: 'linked',
    gitDir,
    common: gitDir,
    mounts: [{ kind: 'bind', from: gitDir, to: gitDir, mode: writable ? 'rw' : 'ro' }],
    sealed: [],
  }
}

async function isRepository(folder: string): Promise<boolean> {
  const parts = await Promise.all(['HEAD', 'objects', 'refs'].map((name) => stat(path.join(folder, name)).catch(() => undefined)))
  return parts[0]?.isFile() === true && parts[1]?.isDirectory() === true && parts[2]?.isDirectory() === true
}
