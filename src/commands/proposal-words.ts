// `[ID] [PATH…]`: tells the id of a session from a path, for diff, apply, undo and discard.
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { isWithin } from '../host/paths.ts'
import type { SessionRecord } from '../model/session.ts'
import { findProposal, listProposals, type FoundProposal } from '../review/find.ts'
import { readMemory } from '../review/remembered.ts'
import type { RunContext } from '../run/context.ts'
import { findSession, listSessions } from '../session/list.ts'

export interface Words {
  readonly found: FoundProposal
  readonly paths: readonly string[]
}

/**
 * The first word is an id where a session has it; else every word is a path, and the project's newest open proposal is meant.
 * @throws Failure of findProposal and findSession
 */
export function readWords(words: readonly string[], { folders, cwd }: RunContext): Words {
  const [first, ...rest] = words
  if (first !== undefined && isSession(folders.state, first)) return { found: findProposal(folders.state, first, ''), paths: rest }
  return { found: findProposal(folders.state, undefined, projectOf(folders.state, cwd)), paths: words }
}

export interface LiveWords {
  /** `sessions/ID` of a live run that remembers what was there. */
  readonly sessionFolder: string
  readonly paths: readonly string[]
}

/**
 * Where the words mean a live run: it is named, or nothing is named and no proposal of the project waits.
 * @throws Failure of findSession
 */
export function readLiveWords(words: readonly string[], { folders, cwd }: RunContext): LiveWords | undefined {
  const [first, ...rest] = words
  if (first !== undefined && isSession(folders.state, first)) {
    const record = findSession(folders.state, first)
    return record.proposal === undefined && readMemory(record.folder) !== undefined
      ? { sessionFolder: record.folder, paths: rest }
      : undefined
  }
  const project = projectOf(folders.state, cwd)
  if (listProposals(folders.state, project).some(({ proposal }) => proposal.state === 'open' && proposal.changes !== 0)) return undefined
  const newest = newestLive(folders.state, project)
  return newest === undefined ? undefined : { sessionFolder: newest.folder, paths: words }
}

/** The project's last live run that remembers what was there. */
export function newestLive(stateDir: string, project: string): SessionRecord | undefined {
  const records = listSessions(stateDir, { project }).flatMap((listed) => (listed.kind === 'session' ? [listed.record] : []))
  return records
    .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .find((record) => record.proposal === undefined && readMemory(record.folder) !== undefined)
}

/** Looks like an id or is the name of a session. An ambiguous beginning of ids is one too: its failure says so. */
export function isSession(stateDir: string, text: string): boolean {
  try {
    findSession(stateDir, text)
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'session/unknown') return /^\d{8}-\d{6}-/.test(text)
    return true
  }
}

/** The nearest folder, from the caller's upwards, that a session ran in; else the caller's own. */
export function projectOf(stateDir: string, cwd: string): string {
  const here = realpathSync(cwd)
  const projects = listSessions(stateDir).flatMap((listed) => (listed.kind === 'session' ? [listed.record.project] : []))
  const above = [...new Set(projects)].filter((project) => isWithin(here, project))
  return above.toSorted((a, b) => b.length - a.length)[0] ?? path.resolve(here)
}
