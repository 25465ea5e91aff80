// `apply --commit MESSAGE`: one commit of exactly what was applied, by the user, with the user's configuration. No hook runs: the user's own
// hooks would run what the agent just wrote (tests, linters and their configuration) on the bare host, without a question.
import type { Performed } from '../apply/perform.ts'
import type { Reference } from '../apply/record.ts'
import type { Review } from '../open-review.ts'
import { bytesOf } from '../../workspace/path-bytes.ts'
import { must, userGit } from './git.ts'

export interface Committed {
  /** Undefined where git has nothing to commit. */
  readonly reference?: Reference
  /** Applied, but ignored by git. */
  readonly ignored: readonly string[]
}

/** @throws Failure apply/git; what was applied stays applied */
export function commitApplied(review: Review, performed: Performed, message: string): Committed {
  const { project } = review.proposal
  const paths = [
    ...new Set(
      performed.done
        .filter(
          ({ root, before, after }) =>
            root === 0 && (before.kind === 'file' || before.kind === 'link' || after.kind === 'file' || after.kind === 'link'),
        )
        .map(({ path }) => path),
    ),
  ].filter((path) => !path.split('/').includes('.git'))
  const list = (all: readonly string[]): Buffer => Buffer.concat(all.flatMap((path) => [bytesOf(path), Buffer.from([0])]))
  const check = userGit(project, ['check-ignore', '-z', '--stdin'], { input: list(paths), env: { GIT_LITERAL_PATHSPECS: '0' } })
  const ignored = new Set(
    check.stdout
      .toString('utf8')
      .split('\0')
      .filter((name) => name !== ''),
  )
  // What was removed and was never git's is nothing to commit.
  const gone = new Set(performed.done.filter(({ root, after }) => root === 0 && after.kind === 'absent').map(({ path }) => path))
  const tracked = new Set(
    must(userGit(project, ['ls-files', '-z']), 'reading the index')
      .toString('latin1')
      .split('\0'),
  )
  const wanted = paths.filter((path) => !ignored.has(path) && (!gone.has(path) || tracked.has(bytesOf(path).toString('latin1'))))
  if (wanted.length === 0) return { ignored: [...ignored] }
  const head = userGit(project, ['symbolic-ref', '-q', 'HEAD']).stdout.toString().trim()
  const before = userGit(project, ['rev-parse', '-q', '--verify', 'HEAD']).stdout.toString().trim()
  must(userGit(project, ['add', '-A', '--pathspec-from-file=-', '--pathspec-file-nul'], { input: list(wanted) }), 'adding what was applied')
  const committed = userGit(
    project,
    ['commit', '-q', '--no-verify', '-m', message, '--only', '--pathspec-from-file=-', '--pathspec-file-nul'],
    { input: list(wanted) },
  )
  must(committed, 'committing what was applied')
  const after = must(userGit(project, ['rev-parse', 'HEAD']), 'reading the commit')
    .toString()
    .trim()
  return {
    ignored: [...ignored],
    reference: { name: head === '' ? 'HEAD' : head, before: before === '' ? '0'.repeat(after.length) : before, after },
  }
}
