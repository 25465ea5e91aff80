// Gateway, git: whether a request is one that a repository's token was given for: this repository, fetching, or pushing to the branches named.
// Used by the injection before it puts the token in.
import type { GitBinding } from '../../model/secret.ts'
import type { Refusal } from '../context.ts'
import type { StepBody } from '../steps/step.ts'
import { PackError, readCommits, type Commits } from './pack.ts'
import { isNone, readPush, type Push, type RefUpdate } from './receive-pack.ts'
import { pushRefusal } from './refusal.ts'
import { readGitRequest } from './request.ts'

export interface GitBounds {
  /** A push is held until it is judged. */
  readonly pushBytes: number
  readonly inflatedBytes: number
  readonly objects: number
}

export interface GitRefusal {
  readonly refusal: Refusal
  /** Body of a `git-receive-pack-result`. */
  readonly answer?: Buffer
}

export const gitBounds: GitBounds = { pushBytes: 128 * 1024 * 1024, inflatedBytes: 1024 * 1024 * 1024, objects: 200_000 }

/** Undefined when the binding allows it; `answer` is the refusal in git's own words, where git can read it. Rejects only when the body breaks off. */
export async function judgeGit(
  binding: GitBinding,
  request: { readonly method: string; readonly path: string; readonly encoding?: string | undefined; readonly body: StepBody },
  bounds: GitBounds = gitBounds,
): Promise<GitRefusal | undefined> {
  const asked = readGitRequest(request.method, request.path)
  if (asked.kind === 'other')
    return plainly(
      'git-only',
      `this secret is for git with the repository ${binding.repository} alone, and this is no request of git's smart protocol`,
    )
  if (asked.repository !== binding.repository)
    return plainly(
      'git-repository',
      `this secret is for the repository ${binding.repository} alone`,
      'give the other repository a secret of its own',
    )
  if (asked.service === 'git-upload-pack') return undefined
  if (binding.push === undefined)
    return plainly(
      'git-push',
      `this secret may fetch from ${binding.repository}, not push to it`,
      'name the branches: `git: { push: ["agent/*"] }`',
    )
  if (asked.kind === 'advertise') return undefined
  if (request.encoding !== undefined) return plainly('git-push', 'the push is compressed as a whole, which git does not do; it is not read')
  const body = await request.body.whole(bounds.pushBytes)
  if (body === undefined)
    return plainly(
      'git-push',
      `the push is larger than ${bounds.pushBytes / 1_048_576} MiB, which is what can be looked at`,
      'push in smaller parts',
    )
  const push = readPush(body)
  if (push.kind === 'question') return undefined
  if (push.kind === 'bad') return plainly('git-push', `the push has ${push.reason}`)
  const refusal = await judgePush(binding.push, push, bounds)
  if (refusal === undefined) return undefined
  const answer = pushRefusal(push.updates, push.capabilities, refusal)
  return { refusal, ...(answer === undefined ? {} : { answer }) }
}

async function judgePush(
  allowed: PushBinding,
  { updates, pack }: Push & { kind: 'push' },
  bounds: GitBounds,
): Promise<Refusal | undefined> {
  const named = updates.map((update) => judgeUpdate(allowed, update)).find((refusal) => refusal !== undefined)
  if (named !== undefined) return named
  return allowed.force ? undefined : judgeHistory(updates, pack, bounds)
}

type PushBinding = NonNullable<GitBinding['push']>

function judgeUpdate(allowed: PushBinding, { ref, after, before }: RefUpdate): Refusal | undefined {
  if (isNone(after) && !allowed.remove) return refuse('git-push', `the push removes ${ref}`, '`git: { remove: true }` allows it')
  if (isNone(after) && isNone(before)) return refuse('git-push', 'a ref update from nothing to nothing')
  if (ref.startsWith('refs/tags/'))
    return allowed.tags ? undefined : refuse('git-push', `the push sets a tag (${ref.slice(10)})`, '`git: { tags: true }` allows it')
  const branch = ref.startsWith('refs/heads/') ? ref.slice(11) : undefined
  if (branch !== undefined && allowed.branches.some((pattern) => branchMatches(pattern, branch))) return undefined
  return refuse(
    'git-branch',
    `the push is to ${branch ?? ref}, and this secret may push to ${allowed.branches.join(', ') || 'no branch'}`,
    'name the branch: `git: { push: ["BRANCH"] }`',
  )
}

/**
 * A fast-forward shows itself: the commits of the pack, each under its own hash, lead from the new tip back to the old one. The server refuses an
 * old tip that is not its own, so the old tip can be believed.
 */
async function judgeHistory(updates: readonly RefUpdate[], pack: Buffer, bounds: GitBounds): Promise<Refusal | undefined> {
  const moved = updates.filter(({ before, after, ref }) => !isNone(before) && !isNone(after) && ref.startsWith('refs/heads/'))
  const movedTag = updates.find(({ before, ref }) => !isNone(before) && ref.startsWith('refs/tags/'))
  if (movedTag !== undefined) return forced(movedTag.ref, 'a tag that is there already is moved')
  if (moved.length === 0) return undefined
  let commits: Commits
  try {
    commits =
      pack.length === 0
        ? new Map()
        : await readCommits(pack, moved[0]?.before.length === 64 ? 64 : 40, {
            objects: bounds.objects,
            inflatedBytes: bounds.inflatedBytes,
          })
  } catch (error) {
    if (error instanceof PackError) return refuse('git-push', `the pack of the push cannot be read: ${error.message}`)
    throw error
  }
  const wrong = moved.find(({ before, after }) => !leadsTo(commits, after, before))
  return wrong === undefined ? undefined : forced(wrong.ref, 'its commits do not lead from the new tip back to the one the server has')
}

function forced(ref: string, why: string): Refusal {
  return refuse('git-force', `the push is forced, or cannot be shown not to be: ${ref}: ${why}`, '`git: { force: true }` allows it')
}

/** Whether `older` is reached from `newer` through parents that the pack holds. */
export function leadsTo(commits: Commits, newer: string, older: string): boolean {
  const seen = new Set<string>()
  const waiting = [newer]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === older) return true
    if (seen.has(id)) continue
    seen.add(id)
    waiting.push(...(commits.get(id) ?? []))
  }
  return false
}

/** Patterns have letters, digits and `_.+@#-` alone (policy/secret-git.ts). `*` stands for anything within one segment, `**` for anything. */
function branchMatches(pattern: string, branch: string): boolean {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+]/g, '\\$&')))
  return new RegExp(`^${parts.join('')}$`, 'su').test(branch)
}

function plainly(code: string, reason: string, remedy?: string): GitRefusal {
  return { refusal: refuse(code, reason, remedy) }
}

function refuse(code: string, reason: string, remedy?: string): Refusal {
  return { code, reason, ...(remedy === undefined ? {} : { remedy }) }
}
