// `apply --commits` and `--commit`: what happens in the project's repository beside the files. Loaded only where one of them is asked for.
import { Failure } from '../errors/failure.ts'
import { shownPath } from '../report/bytes.ts'
import { counted, listed } from '../report/units.ts'
import { noteReferences, type Applied } from '../review/apply/apply.ts'
import type { Choice } from '../review/apply/choose.ts'
import type { Reference } from '../review/apply/record.ts'
import { commitApplied } from '../review/commits/one.ts'
import { move, prepare, touchedPaths } from '../review/commits/replay.ts'
import { openStore } from '../review/commits/store.ts'
import { danglingLinks } from '../review/commits/submodules.ts'
import type { Review } from '../review/open-review.ts'
import { isRiskyName } from '../review/risk/judge.ts'
import type { Selected } from '../review/select.ts'

export interface Commits {
  /** Moves the branches, once the files are applied. @returns what to tell */
  finish(applied: Applied): readonly string[]
}

/** Everything that can be refused, before anything is applied. @throws Failure apply/commits-left, apply/git */
export function prepareCommits(review: Review, choice: Choice, { named }: Selected, agent: string): Commits {
  const { id, project } = review.proposal
  if (review.changes.some(({ root, git }) => root !== 0 && git === 'history')) throw new Failure('apply/commits-elsewhere', { id })
  using store = openStore(review)
  const count = store?.branches.reduce((sum, { commits }) => sum + commits.length, 0) ?? 0
  if (store === undefined || count === 0) return { finish: () => ['The agent made no commits.'] }
  const left = new Set(
    choice.leftOut.flatMap(({ change }) => (change.root === 0 ? [change.path, ...(change.from === undefined ? [] : [change.from])] : [])),
  )
  const known = new Set(review.changes.flatMap(({ root, path, from }) => (root === 0 ? [path, ...(from === undefined ? [] : [from])] : [])))
  const confirmed = new Set([...named].map(({ path }) => path))
  // A file that a commit made and a later one took away is in no diff, but comes with the commits.
  const blocked = [...touchedPaths(store)].filter(
    (path) => left.has(path) || (!known.has(path) && !confirmed.has(path) && isRiskyName(path)),
  )
  if (blocked.length > 0)
    throw new Failure('apply/commits-left', {
      id,
      reason: `they hold what was not applied: ${listed(
        blocked.map((path) => shownPath(path)),
        10,
      )}`,
    })
  const dangling = danglingLinks(store, review)
  if (dangling.length > 0)
    throw new Failure('apply/commits-submodule', {
      id,
      paths: listed(
        dangling.map((path) => shownPath(path)),
        10,
      ),
    })
  const references = prepare(store, review, agent)
  return { finish: (applied) => finish(project, applied, references, count) }
}

function finish(project: string, applied: Applied, references: readonly Reference[], count: number): readonly string[] {
  if (applied.left.length > 0) {
    process.exitCode = 1
    return ['The commits were not replayed, since some of their files were left.']
  }
  noteReferences(applied, references)
  const moved = move(project, references)
  noteReferences(applied, moved)
  if (moved.length < references.length) process.exitCode = 1
  const missed = references.filter((reference) => !moved.includes(reference))
  return [
    ...moved.map(
      ({ name, after }) =>
        `${counted(count, 'commit')} replayed, ${shownPath(name.replace(/^refs\/heads\//, ''))} is at ${after.slice(0, 12)}`,
    ),
    ...missed.map(({ name }) => `left ${shownPath(name)}: it moved meanwhile`),
  ]
}

/** @throws Failure apply/git */
export function commitOne(review: Review, applied: Applied, message: string): readonly string[] {
  const { reference, ignored } = commitApplied(review, applied, message)
  if (reference !== undefined) noteReferences(applied, [reference])
  return [
    reference === undefined ? 'Nothing of it is for git to commit.' : `committed as ${reference.after.slice(0, 12)} (hooks were not run)`,
    ...(ignored.length === 0
      ? []
      : [
          `ignored by git, and in no commit: ${listed(
            ignored.map((path) => shownPath(path)),
            10,
          )}`,
        ]),
  ]
}
