// `anchorhold diff`: what the agent proposes, for people and for programs.
import type { Command } from 'commander'
import { diffJson } from '../report/diff-json.ts'
import { diffLines } from '../report/diff.ts'
import { changesLine, statLines } from '../report/diff-stat.ts'
import { jsonLine } from '../report/json-line.ts'
import { endWithReader } from '../report/output.ts'
import { page, written } from '../report/pager.ts'
import { styleFor } from '../report/style.ts'
import { shownPath } from '../report/bytes.ts'
import { pendingApplies } from '../review/apply/apply.ts'
import { movedSubmodules } from '../review/commits/elsewhere.ts'
import type { BranchSummary } from '../review/commits/summary.ts'
import { counted } from '../report/units.ts'
import { openReview, type Review } from '../review/open-review.ts'
import { patchOf } from '../review/patch/patch.ts'
import { objectFormatOf } from '../review/patch/format.ts'
import { noteShown } from '../review/shown.ts'
import { selectChanges } from '../review/select.ts'
import type { Change } from '../model/change.ts'
import { openLive, type LiveReview } from '../review/live.ts'
import { processContext, type RunContext } from '../run/context.ts'
import { ownValues } from './known-values.ts'
import { readLiveWords, readWords } from './proposal-words.ts'
import { Failure } from '../errors/failure.ts'
import { holdForReading } from '../review/hold.ts'

interface Flags {
  readonly stat?: boolean
  readonly json?: boolean
  readonly nameOnly?: boolean
  readonly patch?: boolean
}

/** Adds `diff` to the program. */
export function register(program: Command): void {
  program
    .command('diff')
    .summary('show what the agent proposes')
    .description('Shows every change of a proposal, the risky ones first. Without an id, that of the newest open proposal of this project.')
    .argument('[id]', 'a session by id, the beginning of one, or name; or the first path')
    .argument('[path...]', 'only these files and folders')
    .option('--stat', 'one line for each change')
    .option('--json', 'one JSON object (docs/review.md describes it)')
    .option('--name-only', 'only the names')
    .option('--patch', 'a patch for git apply')
    .action((id: string | undefined, paths: readonly string[], flags: Flags) => show([...(id === undefined ? [] : [id]), ...paths], flags))
}

async function show(words: readonly string[], flags: Flags): Promise<void> {
  endWithReader()
  const asked = (['stat', 'json', 'nameOnly', 'patch'] as const).filter((flag) => flags[flag] === true)
  const option = (name: string | undefined): string => (name === 'nameOnly' ? '--name-only' : `--${name ?? ''}`)
  if (asked.length > 1) throw new Failure('command/contradiction', { one: option(asked[0]), two: option(asked[1]) })
  const context = processContext()
  using opened = await open(words, context, flags.nameOnly !== true && flags.patch !== true)
  const { review, paths, told } = opened
  const plainly = { env: context.env, project: review.proposal.project, terminal: false }
  const { changes } = selectChanges(review, paths, context.cwd, (change) => shownPath(review.shown(change)))
  const commits = flags.nameOnly !== true && flags.patch !== true && paths.length === 0 ? await commitsOf(review) : []
  if (flags.nameOnly !== true && flags.stat !== true && opened.mayNote) noteShown(review.folder, changes, paths.length === 0)
  if (flags.json === true) return await written(`${jsonLine({ ...diffJson(changes, review), commits })}\n`)
  if (flags.nameOnly === true)
    return await page(
      changes.filter(({ git }) => git !== 'history').map((change) => shownPath(review.shown(change))),
      plainly,
    )
  if (flags.patch === true) return await writePatch(changes, review)
  const style = styleFor(process.stdout)
  const project = review.proposal.project
  if (flags.stat === true) return await page([...told, ...statLines(changes, review, style), ...commitLines(commits)], plainly)
  await page(all(), { env: context.env, project, terminal: style.terminal })

  function* all(): Generator<string> {
    yield* told
    for (const change of changes.filter(({ git }) => git !== 'history')) {
      yield* diffLines(change, review, style)
      yield ''
    }
    yield changesLine(changes)
    yield* commitLines(commits)
  }
}

/** Asked of git only where a branch of the proposal moved. */
async function commitsOf(review: Review): Promise<readonly BranchSummary[]> {
  const moved = review.changes.some(
    ({ root, git, path }) => root === 0 && git === 'history' && /^\.git\/(?:refs\/heads\/|packed-refs$)/.test(path),
  )
  return moved ? (await import('../review/commits/summary.ts')).summarizeCommits(review) : []
}

function commitLines(branches: readonly BranchSummary[]): readonly string[] {
  return branches.flatMap(({ branch, count, commits }) => [
    `${counted(count, 'commit')} on branch ${shownPath(branch)} (anchorhold apply --commits replays them):`,
    ...commits.slice(0, 10).map(({ id, subject }) => `  ${id.slice(0, 10)} ${shownPath(subject).slice(0, 200)}`),
    ...(count > 10 ? [`  and ${count - 10} more`] : []),
  ])
}

interface Opened extends Disposable {
  readonly review: Review
  readonly paths: readonly string[]
  /** What is to be said before the changes. */
  readonly told: readonly string[]
  /** A proposal that nothing changes meanwhile: what is shown is noted. */
  readonly mayNote: boolean
}

/** A proposal, or what a live run changed in the project itself. */
async function open(words: readonly string[], context: RunContext, lines: boolean): Promise<Opened> {
  using scope = new DisposableStack()
  const live = readLiveWords(words, context)
  const review = live === undefined ? undefined : await openLive(live.sessionFolder, { lines, mine: await ownValues(context) })
  if (live !== undefined && review !== undefined) {
    scope.use(review)
    const owned = scope.move()
    return { review, paths: live.paths, told: liveNotes(review), mayNote: false, [Symbol.dispose]: () => owned.dispose() }
  }
  const { found, paths } = readWords(words, context)
  const held = scope.use(holdForReading(found))
  const proposed = scope.use(await openReview(found, { lines, settle: held.whole, mine: await ownValues(context) }))
  const owned = scope.move()
  return { review: proposed, paths, told: notes(proposed, held.whole), mayNote: held.whole, [Symbol.dispose]: () => owned.dispose() }
}

function liveNotes({ proposal, lost, later, gaps }: LiveReview): readonly string[] {
  return [
    `Live run ${proposal.id}: this is in the project already; anchorhold undo ${proposal.id} takes it back.`,
    ...lost.map((name) => `Changed, but what it was is not known: ${shownPath(name)}`),
    ...[...later].map((name) => `Changed after the run too: ${shownPath(name)}`),
    ...(gaps.length === 0 ? [] : [`Not remembered: ${gaps.join('; ')}.`]),
  ]
}

function notes(review: Review, whole: boolean): readonly string[] {
  return [
    ...(whole ? [] : ['The agent is still at work: this is how it stands now.']),
    ...(review.proposal.state === 'open' ? [] : [`This proposal is ${review.proposal.state}.`]),
    ...(pendingApplies(review.folder).length === 0
      ? []
      : [
          `An apply was interrupted: anchorhold apply ${review.proposal.id} --all finishes it, anchorhold undo ${review.proposal.id} takes it back.`,
        ]),
    ...movedSubmodules(review).map((folder) => `Commits in ${shownPath(folder)} are not replayed; the files that they hold are below.`),
    ...review.withheld.map((name) => `Hidden from the agent, and left as it is: ${shownPath(name)}`),
  ]
}

/** What a patch cannot say goes to standard error, by name. */
async function writePatch(changes: readonly Change[], review: Review): Promise<void> {
  const format = objectFormatOf(review.proposal.project)
  const left: string[] = []
  for (const change of changes) {
    const patch = change.root === 0 ? patchOf(change, review.sidesOf(change), format) : undefined
    if (patch === undefined && change.git !== 'history') left.push(shownPath(review.shown(change)))
    if (patch !== undefined) await written(patch)
  }
  if (left.length > 0)
    process.stderr.write(
      `anchorhold: not in the patch, whose format has no word or no room for it: ${left.slice(0, 10).join(', ')}${left.length > 10 ? ` and ${left.length - 10} more` : ''}\n`,
    )
}
