// `anchorhold explain path`: what the cell would see of one path of the host. The project is searched as a run does; nothing is started.
import { lstat, realpath } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { FileMount, Policy } from '../model/policy.ts'
import { writableRoots } from '../plan/make.ts'
import { originText } from '../policy/judge.ts'
import type { LoadInput } from '../policy/load.ts'
import { mountReason } from '../policy/mounts.ts'
import { parseMount } from '../policy/paths.ts'
import { globMatches } from '../workspace/glob-matches.ts'
import { hiddenNames } from '../workspace/hidden-names.ts'
import { protectedNames } from '../workspace/protected-names.ts'
import { isShown, liftKey } from '../workspace/tables.ts'
import { asRun } from './as-run.ts'
import { coverOver } from './cover-over.ts'
import type { Explained } from './explain.ts'
import { isWithin } from '../host/paths.ts'

type Answer = (verdict: string, reason: string, remedy?: string) => Explained

/** The last word on a path: hidden beats protected beats writable; outside the project and the mounts only system folders exist. */
export async function explainPath(text: string, policy: Policy, input: LoadInput): Promise<Explained> {
  const { project, hostHome } = input
  if (text === '') throw new Failure('policy/bad-path', { path: '', reason: 'it is empty', where: 'explain path' })
  const base = isWithin(process.cwd(), project) ? process.cwd() : project
  const given = path.resolve(base, text === '~' || text.startsWith('~/') ? path.join(hostHome, text.slice(1)) : text)
  const real = await nearestReal(given)
  const answer: Answer = (verdict, reason, remedy) => ({ subject: real, verdict, reason, ...(remedy === undefined ? {} : { remedy }) })
  const mount = policy.files.mount.filter((each) => isWithin(real, each.path)).toSorted((a, b) => b.path.length - a.path.length)[0]
  const inProject = isWithin(real, project) && (mount === undefined || isWithin(project, mount.path))
  const root = inProject ? project : mount?.path
  if (root === undefined) return outside(real, policy, input, answer)

  const cover = await coverOver(real, policy, project)
  const name = cover?.name === '' ? 'a rule of git' : cover?.name
  if (cover?.kind === 'empty')
    return answer('hidden', `it is empty inside: ${name} is hidden (${whyHidden(cover.name, policy)})`, liftHidden(cover.name, policy))
  const exists = (await lstat(real).catch(() => undefined)) !== undefined
  const relative = path.relative(root, real)
  if (!exists) {
    const hide = nameOfHidden(relative, policy)
    if (hide !== undefined)
      return answer('hidden', `a file there is empty inside: ${hide} is hidden (${whyHidden(hide, policy)})`, liftHidden(hide, policy))
  }
  if (policy.workspace.mode === 'review') return reviewRoot(real, root, mount, answer)
  if (!writableRoots(policy, project).includes(root)) return readOnlyRoot(root, policy, project, answer)
  if (cover?.kind === 'view')
    return answer(
      'read-write',
      'the cell has a view of its own of git-config: harmless settings are merged back at the end, the rest is held back',
    )
  if (cover !== undefined)
    return answer('read-only', `${name} is protected: ${whyProtected(cover.name, policy)}`, unprotect(cover.name, policy))
  const planted = exists ? undefined : await nameOfPlanted(root, relative, policy)
  if (planted !== undefined)
    return answer(
      'held',
      `it is not there, and what appears under ${planted} is taken out of the project and kept: ${whyProtected(planted, policy)}`,
      unprotect(planted, policy),
    )
  return answer('read-write', root === project ? 'it lies in the project' : `it lies in the mount ${root}`)
}

/** Nothing in a view is protected from the agent: what it plants is held back until the user has seen it. */
async function reviewRoot(real: string, root: string, mount: FileMount | undefined, answer: Answer): Promise<Explained> {
  if (mount?.path === root && mount.mode === 'ro')
    return answer('read-only', `it lies in the mount ${root} (${originText(mount.origin)})`, `anchorhold run --mount ${root}:rw …`)
  if (mount?.path === root && !(await lstat(real)).isDirectory() && real === root)
    return answer('read-only', 'a single file has no copy-on-write view', 'mount the folder it lies in')
  return answer(
    'review',
    'the cell changes a copy-on-write view of it; the file itself changes when you apply the proposal (anchorhold apply)',
  )
}

function readOnlyRoot(root: string, policy: Policy, project: string, answer: Answer): Explained {
  if (policy.workspace.mode === 'readonly') return answer('read-only', 'the workspace is readonly', 'anchorhold run --workspace live …')
  const mount = policy.files.mount.find((each) => each.path === root)
  const origin = mount === undefined ? '' : ` (${originText(mount.origin)})`
  return root === project
    ? answer('read-only', 'the workspace is readonly')
    : answer('read-only', `it lies in the mount ${root}${origin}`, `anchorhold run --mount ${root}:rw …`)
}

/** Under which name a path that is not there yet would be taken away, if the cell made it. */
async function nameOfPlanted(root: string, relative: string, policy: Policy): Promise<string | undefined> {
  const own = policy.files.protect.find(({ glob }) => globMatches(glob, relative))
  if (own !== undefined) return own.glob
  if (/(?:^|\/)\.git\/hooks(?:\/|$)/i.test(relative) && !lifted('.git/hooks', policy)) return '.git/hooks'
  const named = protectedNames.filter(({ glob, keep }) => keep === 'sealed' && globMatches(glob, relative) && !lifted(glob, policy))
  for (const { glob, where } of named) if (where !== 'repository' || (await topOfRepository(root, relative, glob))) return glob
  return undefined
}

/** Whether some folder above, from which the glob starts, is the top of a repository. */
async function topOfRepository(root: string, relative: string, glob: string): Promise<boolean> {
  const parts = relative.split('/')
  for (let start = 0; start < parts.length; start++) {
    if (!globMatches(`/${glob}`, parts.slice(start).join('/'))) continue
    if ((await lstat(path.join(root, ...parts.slice(0, start), '.git')).catch(() => undefined)) !== undefined) return true
  }
  return false
}

function nameOfHidden(relative: string, policy: Policy): string | undefined {
  const own = policy.files.hide.find(({ glob }) => globMatches(glob, relative))
  if (own !== undefined) return own.glob
  if (isShown(path.posix.basename(relative))) return undefined
  return hiddenNames.find(({ glob }) => globMatches(glob, relative) && !lifted(glob, policy))?.glob
}

function whyHidden(glob: string, policy: Policy): string {
  const own = policy.files.hide.find((rule) => rule.glob === glob)
  return own === undefined ? (hiddenNames.find((name) => name.glob === glob)?.reason ?? 'by default') : originText(own.origin)
}

function whyProtected(glob: string, policy: Policy): string {
  const own = policy.files.protect.find((rule) => rule.glob === glob)
  if (own !== undefined) return originText(own.origin)
  const reason = protectedNames.find((name) => name.glob === glob)?.reason
  return reason === undefined ? 'git on the host would run or obey it' : `it runs ${reason}`
}

function liftHidden(glob: string, policy: Policy): string | undefined {
  return policy.files.hide.some((rule) => rule.glob === glob) ? undefined : unprotect(glob, policy)
}

function unprotect(glob: string, policy: Policy): string | undefined {
  if (glob === '' || policy.files.protect.some((rule) => rule.glob === glob)) return undefined
  return `in your own policy: files: { unprotect: ["${glob}"] }`
}

function lifted(glob: string, policy: Policy): boolean {
  return policy.files.unprotect.some((rule) => liftKey(rule.glob) === liftKey(glob))
}

/** Outside the project: the system folders that every cell has, the agent's installation, else nothing. */
async function outside(real: string, policy: Policy, input: LoadInput, answer: Answer): Promise<Explained> {
  const { mounts, home } = await asRun(policy, input)
  if ([input.project, home, ...policy.files.mount.map((mount) => mount.path)].some((place) => place !== real && isWithin(place, real)))
    return answer('private', 'it is only the way to what the cell has; everything else of it is absent')
  if (isWithin(real, home)) return answer('private', "the cell's own home, kept for this project and agent; nothing of yours is in it")
  const over = mounts.findLast((mount) => (mount.kind === 'dir' || mount.kind === 'symlink' ? real === mount.to : isWithin(real, mount.to)))
  if (over?.kind === 'tmpfs' && real !== over.to)
    return answer('absent', `it lies in ${over.to}, and the cell has its own`, await mountRemedy(real, input))
  if (over?.kind === 'tmpfs' || ['/proc', '/sys', '/dev'].some((folder) => isWithin(real, folder)))
    return answer('private', 'the cell has its own; nothing of yours is in it')
  if (over?.kind === 'file') return answer('read-only', 'the cell has one of its own, made by anchorhold')
  if (over?.kind === 'dir' || over?.kind === 'symlink') return answer('read-only', 'it holds only what programs need')
  const exists = (await lstat(real).catch(() => undefined)) !== undefined
  if (over?.kind === 'bind')
    return exists ? answer('read-only', "system folders and the agent's own are the same inside") : answer('absent', 'it does not exist')
  if (isWithin(real, '/etc')) return answer('absent', '/etc is reduced to what programs need')
  const remedy = await mountRemedy(real, input)
  return answer('absent', 'only the project, its mounts and system folders exist inside', remedy)
}

/** Only where the mount would not be refused. */
async function mountRemedy(real: string, { hostHome, project, configDir, stateDir }: LoadInput): Promise<string | undefined> {
  const own = [configDir, stateDir]
  try {
    await parseMount(real, 'ro', { kind: 'flag', source: '' }, { home: hostHome, base: project, own })
    if ((await mountReason(real, { home: hostHome, own })) !== undefined) return undefined
    return `anchorhold run --mount ${real}:ro …`
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

/** The path with links resolved as far as it exists. */
async function nearestReal(given: string): Promise<string> {
  const real = await realpath(given).catch((error: unknown) => (error instanceof Error ? undefined : Promise.reject(error)))
  if (real !== undefined) return real
  const parent = path.dirname(given)
  return parent === given ? given : path.join(await nearestReal(parent), path.basename(given))
}
