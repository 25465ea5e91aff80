// Applies what was chosen, finishes what a killed apply began, and takes an apply back. The caller holds the proposal (lock.ts).
import { readBase, baseKey } from '../base.ts'
import { Failure } from '../../errors/failure.ts'
import type { Change } from '../../model/change.ts'
import { proposalPlaces } from '../folders.ts'
import type { Review } from '../open-review.ts'
import type { BaseEntry } from '../proposal.ts'
import { keepNow } from './keep.ts'
import { perform, Stopped, type Left, type Performed } from './perform.ts'
import { listApplies, writeApply, writeDurably, type ApplyRecord, type Reference } from './record.ts'
import { stage, type Chosen } from './stage.ts'

export interface Applied extends Performed, Pending {}

/** Notes branches that were moved with it, so that undo moves them back. */
export function noteReferences({ folder, record }: Pending, references: readonly Reference[]): void {
  writeApply(folder, { ...record, references })
}

/**
 * Everything chosen, or nothing where the file system refuses one.
 * @param signal takes all of it back, as an error of the file system does
 * @returns `left`: what the user changed between the look and the write, untouched
 * @throws Failure apply/failed, apply/interrupted, apply/not-as-shown
 */
export async function applyChosen(review: Review, chosen: readonly Chosen[], signal?: AbortSignal): Promise<Applied> {
  const { folder, record, left } = await stage(review, chosen, signal).catch((error: unknown) => {
    throw signal?.aborted === true ? new Failure('apply/interrupted', { id: review.proposal.id }, { cause: error }) : error
  })
  try {
    const performed = await perform(record, folder, 'forward', signal)
    // Where everything was left, there is nothing for undo to find.
    const state = record.operations.length === 0 && left.length > 0 ? 'undone' : 'done'
    await finish(review.folder, folder, record, state, performed.left)
    return { done: performed.done, left: [...left.map(changedSince), ...performed.left], folder, record: { ...record, state } }
  } catch (error) {
    throw await takenBack(review.folder, folder, record, error, signal?.aborted === true)
  }
}

function changedSince({ root, path }: Change): Left {
  const absent = { kind: 'absent' } as const
  return { operation: { number: 0, root, path, before: absent, after: absent }, reason: 'you changed it since it was looked at' }
}

/** After an error of the file system, or an interrupt: back to before, so that no half is left. */
async function takenBack(
  proposalFolder: string,
  folder: string,
  record: ApplyRecord,
  error: unknown,
  interrupted: boolean,
): Promise<Failure> {
  const reason = error instanceof Error ? error.message : String(error)
  const facts = { path: error instanceof Stopped ? error.path : (record.operations[0]?.path ?? ''), reason, id: record.session }
  try {
    writeApply(folder, { ...record, state: 'undoing' })
    await perform(record, folder, 'back')
    await finish(proposalFolder, folder, record, 'undone', [])
  } catch (second) {
    const state = `Taking it back stopped too (${second instanceof Error ? second.message : String(second)}); anchorhold undo goes on with that.`
    return new Failure('apply/failed', { ...facts, state }, { cause: error })
  }
  if (interrupted) return new Failure('apply/interrupted', { id: record.session }, { cause: error })
  return new Failure('apply/failed', { ...facts, state: 'Everything is as it was before.' }, { cause: error })
}

export interface Pending {
  readonly folder: string
  readonly record: ApplyRecord
}

/** What a killed process left half-done, the oldest last. */
export function pendingApplies(proposalFolder: string): readonly Pending[] {
  return listApplies(proposalFolder).filter(({ record }) => record.state === 'prepared' || record.state === 'undoing')
}

/** Goes on with it in the direction it had. */
export async function finishPending(proposalFolder: string): Promise<readonly (Performed & { readonly record: ApplyRecord })[]> {
  const finished: (Performed & { readonly record: ApplyRecord })[] = []
  for (const { folder, record } of pendingApplies(proposalFolder)) {
    const forward = record.state === 'prepared'
    const performed = await perform(record, folder, forward ? 'forward' : 'back')
    await finish(proposalFolder, folder, record, forward ? 'done' : 'undone', performed.left)
    finished.push({ ...performed, record: { ...record, state: forward ? 'done' : 'undone' } })
  }
  return finished
}

/** The last apply that still stands, finished or not. */
export function lastApply(proposalFolder: string): Pending | undefined {
  return listApplies(proposalFolder).find(({ record }) => record.state !== 'undone')
}

/** @param only operations to be taken back, also where they were changed since; all where undefined */
export async function takeBack(
  proposalFolder: string,
  { folder, record }: Pending,
  only?: (path: string, root: number) => boolean,
): Promise<Performed> {
  if (only === undefined) {
    writeApply(folder, { ...record, state: 'undoing' })
    const performed = await perform(record, folder, 'back')
    await finish(proposalFolder, folder, record, 'undone', performed.left)
    return performed
  }
  const known = keepNow(record, folder, only)
  writeApply(folder, known)
  const chosen = { ...known, operations: known.operations.filter(({ path, root }) => only(path, root)) }
  const performed = await perform(chosen, folder, 'back')
  const stays = new Set(performed.left.map(({ operation }) => baseKey(operation)))
  await finishSome(proposalFolder, folder, known, { ...chosen, operations: chosen.operations.filter((each) => !stays.has(baseKey(each))) })
  return performed
}

/** The rest of that apply still stands. */
async function finishSome(proposalFolder: string, folder: string, record: ApplyRecord, back: ApplyRecord): Promise<void> {
  const gone = new Set(back.operations.map(({ number }) => number))
  const keys = new Set(back.operations.map(baseKey))
  await moveBase(
    proposalFolder,
    [...keys],
    record.base.before.filter((entry) => keys.has(baseKey(entry))),
  )
  const operations = record.operations.filter(({ number }) => !gone.has(number))
  writeApply(folder, { ...record, operations, state: operations.length === 0 ? 'undone' : record.state })
}

/** The proposal's base follows what was done; a path that was left keeps what it had. Then the journal says so. */
async function finish(
  proposalFolder: string,
  folder: string,
  record: ApplyRecord,
  state: 'done' | 'undone',
  left: readonly Left[],
): Promise<void> {
  const untouched = new Set(left.map(({ operation }) => baseKey(operation)))
  const keys = record.base.keys.filter((key) => !untouched.has(key))
  const wanted = state === 'done' ? record.base.after : record.base.before
  await moveBase(
    proposalFolder,
    keys,
    wanted.filter((entry) => !untouched.has(baseKey(entry))),
  )
  writeApply(folder, { ...record, state })
}

async function moveBase(proposalFolder: string, keys: readonly string[], entries: readonly BaseEntry[]): Promise<void> {
  const base = new Map(await readBase(proposalFolder))
  for (const key of keys) base.delete(key)
  for (const entry of entries) base.set(baseKey(entry), entry)
  writeDurably(proposalPlaces(proposalFolder).baseIndex, [...base.values()].map((entry) => `${JSON.stringify(entry)}\n`).join(''))
}
