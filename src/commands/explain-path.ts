// `anchorhold explain path`: what the cell would see of one path of the host. Read from the policy and the tables; nothing is started.
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import type { PathRule, Policy } from '../model/policy.ts'
import { originText } from '../policy/judge.ts'
import type { LoadInput } from '../policy/load.ts'
import { hiddenNames, shownNames } from '../workspace/hidden-names.ts'
import { isWithin } from '../workspace/project.ts'
import { protectedNames } from '../workspace/protected-names.ts'
import type { Explained } from './explain.ts'

/** The last word on a path: hidden beats protected beats writable; outside the project and the mounts nothing is there. */
export async function explainPath(text: string, policy: Policy, { project, hostHome }: LoadInput): Promise<Explained> {
  const base = isWithin(process.cwd(), project) ? process.cwd() : project
  const given = path.resolve(base, text.startsWith('~/') ? path.join(hostHome, text.slice(2)) : text)
  const real = await nearestReal(given)
  const answer = (verdict: string, reason: string, remedy?: string): Explained => ({
    subject: real,
    verdict,
    reason,
    ...(remedy === undefined ? {} : { remedy }),
  })
  const mount = policy.files.mount.find((each) => isWithin(real, each.path))
  const root = isWithin(real, project) ? project : mount?.path
  if (root === undefined) return outside(real, answer)
  const relative = path.relative(root, real)

  const hide = policy.files.hide.find(({ glob }) => globMatches(glob, relative))
  if (hide !== undefined) return answer('hidden', `it is empty inside: ${hide.glob} is hidden by ${originText(hide.origin)}`)
  const own = hiddenNames.find(({ glob }) => globMatches(glob, relative) && !shownNames.some((shown) => globMatches(shown, relative)))
  if (own !== undefined && !lifted(own.glob, policy.files.unprotect))
    return answer('hidden', `it is empty inside: ${own.glob} is hidden by default (${own.reason})`, unprotectRemedy(own.glob))
  if (root !== project && mount?.mode === 'ro')
    return answer(
      'read-only',
      `it lies in the mount ${mount.path} (${originText(mount.origin)})`,
      `anchorhold run --mount ${mount.path}:rw …`,
    )
  if (policy.workspace.mode === 'readonly' && root === project)
    return answer('read-only', 'the workspace is readonly', 'anchorhold run --workspace live …')
  const protect = policy.files.protect.find(({ glob }) => globMatches(glob, relative))
  if (protect !== undefined) return answer('read-only', `${protect.glob} is protected by ${originText(protect.origin)}`)
  if (/(?:^|\/)\.git\/(?:config|hooks)(?:\/|$)/.test(relative))
    return answer(
      'read-only',
      'git on the host would run it: git-config is a view whose harmless sections are merged back, hooks are protected',
    )
  const name = protectedNames.find(({ glob }) => globMatches(glob, relative))
  if (name !== undefined && !lifted(name.glob, policy.files.unprotect))
    return answer('read-only', `${name.glob} is protected: it runs ${name.reason}`, unprotectRemedy(name.glob))
  return answer('read-write', root === project ? 'it lies in the project' : `it lies in the mount ${root}`)
}

function outside(real: string, answer: (verdict: string, reason: string, remedy?: string) => Explained): Explained {
  if (['/usr', '/bin', '/sbin', '/lib', '/lib64'].some((folder) => isWithin(real, folder)))
    return answer('read-only', 'system folders are the same inside')
  if (isWithin(real, '/etc')) return answer('read-only', '/etc is reduced to what programs need; most of it is not there')
  if (['/tmp', '/var/tmp', '/run', '/dev/shm', '/proc', '/sys', '/dev'].some((folder) => isWithin(real, folder)))
    return answer('absent', 'the cell has its own, empty one')
  return answer('absent', 'only the project, its mounts and system folders exist inside', `anchorhold run --mount ${real}:ro …`)
}

/** As in .gitignore, without regard to case: a rule for a folder holds for what lies in it. A leading slash means the root's own. */
export function globMatches(glob: string, relative: string): boolean {
  const pattern = (glob.startsWith('/') ? glob.slice(1) : glob).toLowerCase()
  const parts = relative.toLowerCase().split('/')
  const starts = glob.startsWith('/') ? [0] : parts.keys()
  for (const start of starts) {
    for (let end = start + 1; end <= parts.length; end++)
      if (path.posix.matchesGlob(parts.slice(start, end).join('/'), pattern)) return true
  }
  return false
}

function lifted(glob: string, unprotect: readonly PathRule[]): boolean {
  const plainGlob = (text: string): string =>
    text
      .replace(/^\//, '')
      .replace(/\/\*\*$/, '')
      .toLowerCase()
  return unprotect.some((rule) => plainGlob(rule.glob) === plainGlob(glob))
}

function unprotectRemedy(glob: string): string {
  return `in your own policy: files: { unprotect: ["${glob}"] }`
}

/** The path with links resolved as far as it exists. */
async function nearestReal(given: string): Promise<string> {
  const real = await realpath(given).catch((error: unknown) => (error instanceof Error ? undefined : Promise.reject(error)))
  if (real !== undefined) return real
  const parent = path.dirname(given)
  return parent === given ? given : path.join(await nearestReal(parent), path.basename(given))
}
