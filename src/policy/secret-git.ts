// Policy: what a token for git over HTTPS may do, as a line of `secrets` says it. Called by secret.ts; gateway/git judges by it.
import type { GitBinding } from '../model/secret.ts'
import type { GitEntry, SecretEntry } from './schema.ts'
import { show } from './show.ts'

/** `refuse` throws. */
export function gitBinding(entry: SecretEntry, git: GitEntry, refuse: (reason: string) => never): GitBinding {
  if (entry.methods !== undefined || entry.paths !== undefined)
    return refuse('"git" says already which requests may have it; leave methods and paths out')
  if (entry.where !== undefined || entry.header !== undefined)
    return refuse('git sends a token as the password of Basic or as a Bearer token; leave where and header out')
  const repository = git.repository.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')
  if (!/^[\w.~-]+(?:\/[\w.~-]+)*$/.test(repository) || /(?:^|\/)\.\.?(?:\/|$)/.test(repository))
    return refuse(`${show(git.repository)} is no path of a repository, such as me/project`)
  const { username = 'x-access-token', push, force = false, tags = false, remove = false } = git
  if (!/^[\w.@+~-]+$/.test(username)) return refuse(`${show(username)} is no user name for git`)
  if (push === undefined && (force || tags || remove))
    return refuse('force, tags and remove belong to a push; name its branches with "push"')
  for (const branch of push ?? [])
    if (!/^[\w.+@#*-]+(?:\/[\w.+@#*-]+)*$/.test(branch) || branch.startsWith('refs/'))
      return refuse(`${show(branch)} is no pattern of branch names, such as agent/*`)
  return { repository, username, ...(push === undefined ? {} : { push: { branches: push, force, tags, remove } }) }
}

/** In words: "git, me/project: fetch, push to agent/*". */
export function gitText({ repository, push }: GitBinding): string {
  const more = push === undefined ? [] : [push.force ? 'force' : '', push.tags ? 'tags' : '', push.remove ? 'remove' : ''].filter(Boolean)
  return `git, ${repository}: ${['fetch', ...(push === undefined ? [] : [`push to ${push.branches.join(', ') || 'no branch'}`]), ...more].join(', ')}`
}
