// What was shown of a proposal, by content: a run that goes on in it (`--continue`) between reading and applying must not slip anything in.
// diff writes it, apply without questions reads it.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Change, Side } from '../model/change.ts'
import { writeDurably } from './apply/record.ts'
import { baseKey } from './base.ts'

interface Shown {
  /** Everything there was: what is not in the list came later. */
  readonly whole: boolean
  readonly sides: Readonly<Record<string, string>>
}

/** @param whole not only some paths were shown */
export function noteShown(folder: string, changes: readonly Change[], whole: boolean): void {
  const before = whole ? undefined : readShown(folder)
  const sides = { ...before?.sides, ...Object.fromEntries(changes.map((change) => [baseKey(change), sideText(change.after)])) }
  writeDurably(fileOf(folder), JSON.stringify({ whole: whole || before?.whole === true, sides }))
}

/** Whether a change is another than the one that was shown, or came after all was shown. False where nothing was shown yet. */
export function openStale(folder: string): (change: Change) => boolean {
  const shown = readShown(folder)
  if (shown === undefined) return () => false
  return (change) => {
    const then = shown.sides[baseKey(change)]
    return then === undefined ? shown.whole : then !== sideText(change.after)
  }
}

function sideText(side: Side | undefined): string {
  if (side === undefined) return 'absent'
  return `${side.kind} ${'mode' in side ? side.mode : ''} ${'hash' in side ? side.hash : ''}`
}

function readShown(folder: string): Shown | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Shown
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function fileOf(folder: string): string {
  return path.join(folder, 'shown.json')
}
