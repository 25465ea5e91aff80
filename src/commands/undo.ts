// `anchorhold undo`: takes the last apply back, whole or by path, also one that was interrupted.
import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { shownPath } from '../report/bytes.ts'
import { written } from '../report/pager.ts'
import { firstLines, printLines } from '../report/output.ts'
import { counted } from '../report/units.ts'
import type { Change } from '../model/change.ts'
import { applyChosen, lastApply, takeBack } from '../review/apply/apply.ts'
import { openBelow } from '../review/below.ts'
import { yoursOf } from '../review/apply/keep.ts'
import { isState } from '../review/apply/place.ts'
import type { ApplyRecord, Operation } from '../review/apply/record.ts'
import { findProposal, listProposals, type FoundProposal } from '../review/find.ts'
import { openLive } from '../review/live.ts'
import { holdProposal } from '../review/lock.ts'
import { requireRoots } from '../review/open-review.ts'
import { selectChanges } from '../review/select.ts'
import { closeWhenEmpty } from '../review/state.ts'
import { catchInterrupts } from './interrupts.ts'
import { processContext, type RunContext } from '../run/context.ts'
import { isSession, newestLive, projectOf, readLiveWords } from './proposal-words.ts'

/** Adds `undo` to the program. */
export function register(program: Command): void {
  program
    .command('undo')
    .summary('take the last apply back')
    .description(
      'Takes back what was applied last, or what a live run changed: every file becomes what it was. What you changed since stays, unless you name it.',
    )
    .argument('[id]', 'a session by id, the beginning of one, or name; or the first path')
    .argument('[path...]', 'only these, also where you changed them since')
    .action((id: string | undefined, paths: readonly string[]) => undo([...(id === undefined ? [] : [id]), ...paths]))
}

async function undo(words: readonly string[]): Promise<void> {
  const context = processContext()
  const [first, ...rest] = words
  const byId = first !== undefined && isSession(context.folders.state, first)
  const paths = byId ? rest : words
  if (await undoLive(words, context)) return
  const found = byId ? findProposal(context.folders.state, first, '') : newestApplied(context)?.found
  const where = found === undefined ? 'in this project' : `of ${found.proposal.id}`
  if (found === undefined) throw new Failure('apply/nothing-to-undo', { where })
  using _held = holdProposal(found.folder, found.proposal.id)
  requireRoots(found.proposal)
  const last = lastApply(found.folder)
  if (last === undefined) throw new Failure('apply/nothing-to-undo', { where })
  const { record } = last
  const shown = ({ root, path: place }: Operation): string =>
    shownPath(root === 0 ? place : path.posix.join(record.roots[root] ?? '/', place))
  const named = paths.length === 0 ? undefined : chosenBy(record, paths, context.cwd, shown)
  const changed = record.operations.filter((operation) => (named === undefined ? !asLeft(record, operation) : false))
  if (changed.length > 0)
    throw new Failure('apply/undo-changed', { id: record.session, paths: [...new Set(changed.map(shown))].slice(0, 10).join(', ') })
  const project = record.roots[0] ?? '/'
  const references = named === undefined ? (record.references ?? []) : []
  const git = references.length === 0 ? undefined : await import('../review/commits/replay.ts')
  const moved = git === undefined ? [] : references.filter(({ name, after }) => git.tipOf(project, name) !== after)
  if (moved.length > 0)
    throw new Failure('apply/undo-changed', {
      id: record.session,
      paths: moved.map(({ name }) => `the branch ${shownPath(name)}`).join(', '),
    })
  using _whole = catchInterrupts() // what began would have to be gone on with anyway
  const performed = await takeBack(found.folder, last, named)
  const turned = references.map(({ name, before, after }) => ({ name, before: after, after: before }))
  const back = git?.move(project, turned) ?? []
  const lines = [...new Set(performed.done.map(shown))].map((name) => `taken back ${name}`)
  const kept = performed.done.flatMap((operation) => {
    const file = path.join(last.folder, yoursOf(operation.number))
    return existsSync(file) ? [`what you had in ${shown(operation)} is kept: ${shownPath(file)}`] : []
  })
  printLines([...firstLines(lines), ...kept, ...performed.left.map(({ operation, reason }) => `left ${shown(operation)}: ${reason}`)])
  printLines(
    back.map(({ name, after }) => `branch ${shownPath(name)} is ${/^0+$/.test(after) ? 'gone again' : `at ${after.slice(0, 12)} again`}`),
  )
  printLines([`${counted(lines.length, 'path')} taken back; the proposal waits again: anchorhold diff ${record.session}`])
  if (performed.left.length > 0) process.exitCode = 1
  await closeWhenEmpty(found)
  await written('')
}

/** A live run that is named, or the project's last one where nothing was applied after it. False where none is meant. */
async function undoLive(words: readonly string[], context: RunContext): Promise<boolean> {
  const { folders, cwd } = context
  const project = projectOf(folders.state, cwd)
  const byId = words[0] !== undefined && isSession(folders.state, words[0])
  const last = byId ? undefined : newestLive(folders.state, project)
  const live = byId ? readLiveWords(words, context) : last === undefined ? undefined : { sessionFolder: last.folder, paths: words }
  if (live === undefined || (last !== undefined && (newestApplied(context)?.at ?? '') > last.startedAt)) return false
  using review = await openLive(live.sessionFolder, { lines: false, back: true })
  if (review === undefined) return false
  const shown = (change: Change) => shownPath(review.shown(change))
  const { changes } = selectChanges(review, live.paths, cwd, shown)
  const named = live.paths.length > 0
  const chosen = changes.filter(
    (change) => named || ![change.path, change.from].some((place) => place !== undefined && review.later.has(place)),
  )
  const left = changes.filter((change) => !chosen.includes(change))
  const { id } = review.proposal
  if (chosen.length === 0 && left.length === 0) throw new Failure('apply/nothing-to-undo', { where: `by ${id}` })
  using interrupts = catchInterrupts()
  const performed =
    chosen.length === 0
      ? { left: [] }
      : await applyChosen(
          review,
          chosen.map((change) => ({ change })),
          interrupts.signal,
        )
  printLines([
    ...firstLines(chosen.map((change) => `taken back ${shown(change)}`)),
    ...left.map(
      (change) =>
        `left ${shown(change)}: it was changed after the run (to take it back all the same: anchorhold undo ${id} ${shown(change)})`,
    ),
    ...performed.left.map(({ operation, reason }) => `left ${shownPath(operation.path)}: ${reason}`),
    ...review.lost.map((place) => `left ${shownPath(place)}: what it was is not known`),
  ])
  if (left.length + performed.left.length + review.lost.length > 0) process.exitCode = 1
  return true
}

/** Whether nobody changed it since: it is as the apply left it, or (of an interrupted one) as it was before. */
function asLeft(record: ApplyRecord, operation: Operation): boolean {
  using below = openBelow(record.roots[operation.root] ?? '/')
  const chain = record.operations.filter(({ root, path: place }) => root === operation.root && place === operation.path)
  // A folder may have got new files: it stays then, which is no loss.
  if (operation.after.kind === 'folder')
    return below.facts(operation.path)?.type === 'd' || isState(below, operation.path, operation.before)
  return chain.some(({ before, after }) => isState(below, operation.path, after) || isState(below, operation.path, before))
}

function chosenBy(
  record: ApplyRecord,
  words: readonly string[],
  cwd: string,
  shown: (operation: Operation) => string,
): (place: string, root: number) => boolean {
  const places = words.map((word) => path.resolve(cwd, word))
  const matches = (operation: Operation): boolean => {
    const own = path.posix.join(record.roots[operation.root] ?? '/', operation.path)
    return places.some((place) => own === place || own.startsWith(`${place}/`)) || words.includes(shown(operation))
  }
  const chosen = record.operations.filter(matches)
  const missing = words.find(
    (word, index) =>
      !record.operations.some(
        (operation) =>
          path.posix.join(record.roots[operation.root] ?? '/', operation.path) === places[index] ||
          matchesBelow(record, operation, places[index] ?? '') ||
          shown(operation) === word,
      ),
  )
  if (missing !== undefined) throw new Failure('apply/no-path', { path: missing, id: record.session })
  // A rename comes back whole, whichever of its names was given.
  return (place, root) => chosen.some((operation) => (operation.path === place || operation.renamed === place) && operation.root === root)
}

function matchesBelow(record: ApplyRecord, operation: Operation, place: string): boolean {
  return path.posix.join(record.roots[operation.root] ?? '/', operation.path).startsWith(`${place}/`)
}

/** Of all proposals of this project: the one applied last. */
function newestApplied({ folders, cwd }: RunContext): { readonly found: FoundProposal; readonly at: string } | undefined {
  const applied = listProposals(folders.state, projectOf(folders.state, cwd)).flatMap((found) => {
    const last = lastApply(found.folder)
    return last === undefined ? [] : [{ found, at: last.record.at }]
  })
  return applied.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0]
}
