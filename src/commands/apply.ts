// `anchorhold apply`: takes over what the agent proposes: by question in a terminal, by name, or all of it that needs no look.
import type { Command } from 'commander'
import path from 'node:path'
import { isatty } from 'node:tty'
import { Failure } from '../errors/failure.ts'
import { baseKey } from '../review/base.ts'
import type { Change } from '../model/change.ts'
import { shownPath } from '../report/bytes.ts'
import { firstLines } from '../report/output.ts'
import { written } from '../report/pager.ts'
import { styleFor, type Style } from '../report/style.ts'
import { counted } from '../report/units.ts'
import { applyChosen, finishPending } from '../review/apply/apply.ts'
import { choose, type Choice } from '../review/apply/choose.ts'
import type { Performed } from '../review/apply/perform.ts'
import type { FoundProposal } from '../review/find.ts'
import { holdProposal } from '../review/lock.ts'
import { openReview, type Review } from '../review/open-review.ts'
import { closeWhenEmpty } from '../review/state.ts'
import { selectChanges } from '../review/select.ts'
import { processContext, type RunContext } from '../run/context.ts'
import { findSession } from '../session/list.ts'
import { ownValues } from './known-values.ts'
import { askForEach, mergeLines } from './apply-ask.ts'
import { catchInterrupts } from './interrupts.ts'
import { openAsker } from './ask.ts'
import { readLiveWords, readWords } from './proposal-words.ts'

interface ApplyFlags {
  readonly hunks?: boolean
  readonly all?: boolean
  readonly merge?: boolean
  readonly commit?: string
  readonly commits?: boolean
}

/** Adds `apply` to the program. */
export function register(program: Command): void {
  program
    .command('apply')
    .summary('take over what the agent proposes')
    .description(
      'Applies a proposal to the project: asks for each change in a terminal; else takes the named files, or all that needs no look with --all. Exit code 1 where something was left out.',
    )
    .argument('[id]', 'a session by id, the beginning of one, or name; or the first path')
    .argument('[path...]', 'only these; a file that is named is applied although it is risky')
    .option('--hunks', 'ask for each hunk')
    .option('--all', 'everything that is not risky and meets no change of yours')
    .option('--merge', 'also what merges cleanly with your own changes')
    .option('--commit <message>', 'make one commit of what was applied (hooks are not run)')
    .option('--commits', "also replay the agent's commits, marked as the agent's (hooks are not run); paths confirm risky files then")
    .action((id: string | undefined, paths: readonly string[], flags: ApplyFlags) =>
      perform([...(id === undefined ? [] : [id]), ...paths], flags),
    )
}

async function perform(words: readonly string[], flags: ApplyFlags): Promise<void> {
  const context = processContext()
  if (flags.commit !== undefined && flags.commits === true)
    throw new Failure('command/contradiction', { one: '--commit', two: '--commits' })
  const live = readLiveWords(words, context)
  if (live !== undefined) throw new Failure('apply/live', { id: path.basename(live.sessionFolder) })
  const { found, paths } = readWords(words, context)
  const { id, state } = found.proposal
  const interactive = isatty(0) && isatty(1)
  if (state === 'discarded') throw new Failure('apply/not-open', { id, state, remedy: `Bring it back: anchorhold discard --restore ${id}` })
  if (flags.hunks === true && !interactive) throw new Failure('apply/needs-choice', { id })
  if (!interactive && flags.all !== true && paths.length === 0) throw new Failure('apply/needs-choice', { id })
  const style = styleFor(process.stdout)
  using _held = holdProposal(found.folder, id)
  for (const finished of await finishPending(found.folder))
    say(
      `An apply that was interrupted was ${finished.record.state === 'done' ? 'finished' : 'taken back'}: ${counted(finished.done.length, 'step')}.`,
    )
  using review = await openReview(found, { lines: false, settle: true, mine: await ownValues(context) })
  const shownAs = (change: Change): string => shownPath(review.shown(change))
  const chosenByName = selectChanges(review, paths, context.cwd, shownAs)
  // Commits are taken whole: paths say which risky files were read.
  const selected = flags.commits === true ? { ...chosenByName, changes: review.changes } : chosenByName
  let choice: Choice
  if (interactive && (paths.length === 0 || flags.hunks === true)) {
    using asker = openAsker(process.stdin, process.stdout)
    choice = await askForEach({ review, selected, hunks: flags.hunks === true, all: flags.all === true, asker, show: say, style })
    await new Promise((resolve) => setImmediate(resolve)) // Ctrl-C while nothing was asked is heard, too
  } else choice = choose(review, selected, { merge: flags.merge === true })
  const commits =
    flags.commits === true
      ? (await import('./apply-commits.ts')).prepareCommits(review, choice, selected, agentOf(found, context))
      : undefined
  using interrupts = catchInterrupts()
  const performed =
    choice.chosen.length === 0 && commits === undefined ? undefined : await applyChosen(review, choice.chosen, interrupts.signal)
  report(review, choice, performed, style)
  if (commits !== undefined && performed !== undefined) for (const line of commits.finish(performed)) say(line)
  if (flags.commit !== undefined && performed !== undefined)
    for (const line of (await import('./apply-commits.ts')).commitOne(review, performed, flags.commit)) say(line)
  await closeWhenEmpty(review)
  await written('') // nothing of a long list is lost on the way to a slow reader
}

/** Who made the commits. */
function agentOf({ proposal }: FoundProposal, { folders }: RunContext): string {
  return findSession(folders.state, proposal.id).agent
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function report(review: Review, choice: Choice, performed: Performed | undefined, style: Style): void {
  const kept = performed?.left ?? []
  const late = new Set(kept.map(({ operation }) => baseKey(operation)))
  const applied = choice.chosen.filter(({ change }) => !late.has(baseKey(change)))
  for (const line of firstLines(applied.map(({ change }) => `${style.good('applied')} ${shownPath(review.shown(change))}`))) say(line)
  for (const { operation, reason } of kept) say(`${style.warn('left')} ${shownPath(review.shown(operation))}: ${reason}`)
  for (const left of choice.leftOut) {
    say(`${style.warn('left')} ${shownPath(review.shown(left.change))}: ${left.reason}`)
    if (left.kind === 'conflict' && left.merged !== undefined) for (const line of mergeLines(left.change, left, review, style)) say(line)
  }
  const { id } = review.proposal
  const risky = choice.leftOut.filter(({ kind }) => kind === 'risk')
  const inConflict = choice.leftOut.filter(({ kind, merged }) => kind === 'conflict' && merged?.conflicts === 0)
  if (risky.length > 0) say(`To apply what needs your eyes, read it and name it: anchorhold diff ${id}; anchorhold apply ${id} PATH…`)
  if (inConflict.length > 0) say(`To apply what merges cleanly: anchorhold apply ${id} --merge PATH…`)
  say(
    `${counted(applied.length, 'change')} applied${choice.leftOut.length + kept.length === 0 ? '' : `, ${choice.leftOut.length + kept.length} left`}${applied.length === 0 ? '' : `; to take it back: anchorhold undo ${id}`}`,
  )
  if (choice.leftOut.length + kept.length > 0) process.exitCode = 1
}
