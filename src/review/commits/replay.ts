// Makes the agent's commits anew in the real repository: same content and messages, the agent as author, the user as committer, no hook run.
// First everything that can fail without a trace (prepare); then, when the files are applied, the branches move (move).
import * as fs from 'node:fs'
import path from 'node:path'
import { Failure } from '../../errors/failure.ts'
import type { Reference } from '../apply/record.ts'
import type { Review } from '../open-review.ts'
import { pathOf } from '../../workspace/path-bytes.ts'
import { must, ownGit, userGit } from './git.ts'
import { parseCommit, replayed } from './message.ts'
import type { MovedBranch, Store } from './store.ts'
import { updateIndex } from './index-entries.ts'

/** Paths that any of the commits touches, as changes name them. */
export function touchedPaths(store: Store): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { commits } of store.branches) {
    for (const commit of commits) {
      const listed = must(
        ownGit(store.gitDir, ['diff-tree', '-r', '-z', '-m', '--root', '--no-renames', '--no-commit-id', '--name-only', commit]),
        'reading a commit',
      )
      for (const name of listed.toString('latin1').split('\0')) if (name !== '') found.add(pathOf(Buffer.from(name, 'latin1')))
    }
  }
  return found
}

/** Writes objects only: nothing in the repository refers to them yet. @throws Failure apply/git */
export function prepare(store: Store, review: Review, agent: string): readonly Reference[] {
  const { project, id } = review.proposal
  const all = new Set(store.branches.flatMap(({ commits }) => commits))
  if (all.size === 0) return []
  importObjects(store, project, [...all])
  const committer = must(userGit(project, ['var', 'GIT_COMMITTER_IDENT']), 'asking git who you are')
    .toString()
    .trim()
  const fresh = new Map<string, string>()
  for (const { commits } of store.branches) {
    for (const old of commits) {
      if (fresh.has(old)) continue
      const commit = parseCommit(must(ownGit(store.gitDir, ['cat-file', 'commit', old]), 'reading a commit'))
      if (commit === undefined) throw new Failure('apply/git', { doing: 'reading a commit', reason: `${old} is none that git would write` })
      const parents = commit.parents.map((parent) => fresh.get(parent) ?? parent)
      const text = replayed(commit, { agent, session: id, committer, parents, now: Math.floor(Date.now() / 1000) })
      const made = must(userGit(project, ['hash-object', '-t', 'commit', '-w', '--stdin'], { input: text }), 'writing a commit')
      fresh.set(old, made.toString().trim())
    }
  }
  return store.branches.flatMap((branch) => target(branch, store, project, id, fresh))
}

/** Only what is new, and looked through for what git itself would refuse to fetch. */
function importObjects(store: Store, project: string, commits: readonly string[]): void {
  const file = path.join(store.gitDir, 'new.pack')
  const known = [...new Set(store.real.values())].map((each) => `^${each}`)
  const fd = fs.openSync(file, 'wx+', 0o600)
  try {
    const input = [...commits, ...known, ''].join('\n')
    must(ownGit(store.gitDir, ['pack-objects', '--revs', '--stdout', '-q'], { input, output: fd }), "gathering the agent's objects")
  } finally {
    fs.closeSync(fd)
  }
  must(
    userGit(project, ['index-pack', '--stdin', '--strict', '--fix-thin'], { input: fs.readFileSync(file) }),
    "checking the agent's objects",
  )
}

/** A branch that only went on moves; one that the user moved too stays, and the commits get a branch of their own. */
function target(branch: MovedBranch, store: Store, project: string, id: string, fresh: ReadonlyMap<string, string>): readonly Reference[] {
  if (branch.commits.length === 0) return []
  const after = fresh.get(branch.tip) ?? branch.tip
  const before = store.real.get(branch.name)
  const none = '0'.repeat(after.length)
  if (before === undefined) return [{ name: branch.name, before: none, after }]
  if (userGit(project, ['merge-base', '--is-ancestor', before, after]).code === 0) return [{ name: branch.name, before, after }]
  const own = `refs/heads/anchorhold/${id}/${branch.name.slice('refs/heads/'.length)}`
  return [{ name: own, before: store.real.get(own) ?? none, after }]
}

/** Moves references and, where one is checked out, the index with it. A reference that moved meanwhile is left. @returns those that moved */
export function move(project: string, references: readonly Reference[]): readonly Reference[] {
  const head = userGit(project, ['symbolic-ref', '-q', 'HEAD']).stdout.toString().trim()
  return references.filter(({ name, before, after }) => {
    const gone = /^0+$/.test(after)
    const args = gone ? ['update-ref', '-d', name, before] : ['update-ref', '-m', 'anchorhold', name, after, before]
    if (userGit(project, args).code !== 0) return false
    if (name === head) updateIndex(project, before, after)
    return true
  })
}

/** What a reference names now; undefined where it is not there. */
export function tipOf(project: string, name: string): string | undefined {
  const { code, stdout } = userGit(project, ['rev-parse', '--verify', '-q', name])
  return code === 0 ? stdout.toString().trim() : undefined
}
