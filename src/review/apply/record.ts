// An apply on disk: what lies where before and after, written whole before the first byte of the project changes (a write-ahead journal).
// `applies/N/` in the proposal's folder: apply.json, old/ and new/ with the contents. Neighbours: stage.ts makes it, perform.ts plays it.
import * as fs from 'node:fs'
import path from 'node:path'
import type { BaseEntry } from '../proposal.ts'

export type State =
  | { readonly kind: 'absent' }
  /** `content`: a file in the apply's folder. `attributes`: that has some, which the file is to have too. */
  | { readonly kind: 'file'; readonly mode: number; readonly hash: string; readonly content: string; readonly attributes?: true }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder'; readonly mode: number }

export interface Operation {
  readonly number: number
  /** Index into the proposal's roots. */
  readonly root: number
  /** Relative to the root. */
  readonly path: string
  readonly before: State
  readonly after: State
  /** The other half of a rename (of the same root). */
  readonly renamed?: string
  /** A further name of this path's file (of the same root). */
  readonly linkTo?: string
}

export interface Reference {
  /** `refs/heads/x`, or HEAD where no branch is checked out. */
  readonly name: string
  /** All zeros: it did not exist. */
  readonly before: string
  readonly after: string
}

/**
 * `prepared`: everything is kept, the project is being changed. `done`. `undoing`: being taken back. `undone`.
 * `prepared` and `undoing` of a process that is gone are finished, in either direction, by the next apply or undo.
 */
export type ApplyState = 'prepared' | 'done' | 'undoing' | 'undone'

export interface ApplyRecord {
  readonly version: 1
  /** `1`, `2`, …: its folder's name. */
  readonly number: number
  readonly session: string
  readonly at: string
  /** Of the names beside its targets while they are written: made up when the agent was gone, so that nothing of theirs has one. */
  readonly mark: string
  readonly state: ApplyState
  /** Absolute, by number of the root. */
  readonly roots: readonly string[]
  /** In the order in which they are played; backwards to take them back. */
  readonly operations: readonly Operation[]
  /** What the proposal's base said of the changed paths, and what it says once they are applied. */
  readonly base: { readonly before: readonly BaseEntry[]; readonly after: readonly BaseEntry[]; readonly keys: readonly string[] }
  /** Branches that were moved with it, in the project's repository. */
  readonly references?: readonly Reference[]
}

/** From so many steps on, they are brought to the disk together: one by one that takes some 10 ms each. */
export const together = 100

export function appliesFolder(proposalFolder: string): string {
  return path.join(proposalFolder, 'applies')
}

/** The newest first; half-made ones (nothing of the project was touched for them) are left out. */
export function listApplies(proposalFolder: string): readonly { readonly folder: string; readonly record: ApplyRecord }[] {
  const base = appliesFolder(proposalFolder)
  if (!fs.existsSync(base)) return []
  return fs
    .readdirSync(base)
    .filter((name) => /^[1-9]\d{0,6}$/.test(name))
    .toSorted((a, b) => Number(b) - Number(a))
    .flatMap((name) => {
      const folder = path.join(base, name)
      const file = path.join(folder, 'apply.json')
      return fs.existsSync(file) ? [{ folder, record: JSON.parse(fs.readFileSync(file, 'utf8')) as ApplyRecord }] : []
    })
}

/** On disk when it returns; a crash leaves the old one or the new one. */
export function writeApply(folder: string, record: ApplyRecord): void {
  writeDurably(path.join(folder, 'apply.json'), `${JSON.stringify(record)}\n`)
}

export function writeDurably(file: string, text: string): void {
  const beside = `${file}.new`
  const fd = fs.openSync(beside, 'w', 0o600)
  try {
    fs.writeSync(fd, text)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  fs.renameSync(beside, file)
  syncFolder(path.dirname(file))
}

export function syncFolder(folder: string | Buffer): void {
  const fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
