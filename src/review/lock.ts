// Who uses a proposal now: a cell that writes to it, or a command that applies it. One symbolic link, whose target is the user's mark.
import { readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { Failure } from '../errors/failure.ts'
import { liveness, ownMark } from '../host/liveness.ts'
import { markText, parseMark } from '../session/folders.ts'
import { proposalPlaces } from './folders.ts'

/**
 * Takes a proposal for this process, until disposed. What a killed process held is taken over.
 * @param folder `sessions/ID/proposal`
 * @throws Failure `review/busy`
 */
export function holdProposal(folder: string, id: string): Disposable {
  const { lock } = proposalPlaces(folder)
  const mine = markText(ownMark())
  for (let tries = 0; ; tries++) {
    try {
      symlinkSync(mine, lock)
      break
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    const by = holderOf(folder)
    if (by !== undefined || tries > 20) throw new Failure('review/busy', { id, pid: by ?? 0 })
    // Renamed first: of two that find it abandoned, one takes it away, and not the other's new one.
    const aside = `${lock}.${process.pid}`
    try {
      const seen = readlinkSync(lock)
      renameSync(lock, aside)
      if (readlinkSync(aside) !== seen) renameSync(aside, lock)
      else rmSync(aside, { force: true })
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
  }
  return {
    [Symbol.dispose]() {
      rmSync(lock, { force: true })
    },
  }
}

/** The process that uses the proposal, 0 where it is on another machine; undefined where none does. */
export function holderOf(folder: string): number | undefined {
  try {
    const mark = parseMark(readlinkSync(proposalPlaces(folder).lock))
    if (mark === undefined) return undefined
    const state = liveness(mark)
    return state === 'gone' ? undefined : state === 'alive' ? mark.pid : 0
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
