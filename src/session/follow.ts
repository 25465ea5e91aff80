// Reads a session's events, once or as they come. Neighbours: verify.ts checks them, report/log.ts shows them.
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { liveness } from '../host/liveness.ts'
import type { JournalLine } from '../model/events.ts'
import type { SessionRecord } from '../model/session.ts'
import { journalFile } from './folders.ts'
import { readRecord } from './record.ts'
import { parseLine, rawLines } from './verify.ts'

/** A line that can't be read is given as its 1-based number. */
export type ReadLine = { readonly kind: 'line'; readonly line: JournalLine } | { readonly kind: 'unreadable'; readonly number: number }

/** Every complete line so far, in order. */
export function* readJournal(folder: string): Generator<ReadLine> {
  let number = 0
  for (const raw of rawLines(journalFile(folder))) {
    number += 1
    if (raw.ended) yield read(raw.bytes, number)
  }
}

export interface FollowOptions {
  readonly signal: AbortSignal
  /** How often to look for more, in milliseconds; default 200. */
  readonly every?: number
}

/** Every line so far, then each as it is written, until the session is over or the signal comes. */
export async function* followJournal(record: SessionRecord, options: FollowOptions): AsyncGenerator<ReadLine> {
  const file = journalFile(record.folder)
  let at = 0
  let number = 0
  while (!options.signal.aborted) {
    // Whether it still runs is asked before reading, so that the last lines of an ended session are read after its end.
    const running = isRunning(record)
    if (statSync(file).size > at) {
      for (const raw of rawLines(file, at)) {
        if (!raw.ended) break
        at += raw.bytes.length + 1
        number += 1
        yield read(raw.bytes, number)
        if (options.signal.aborted) return
      }
    }
    if (!running) return
    await sleep(options.every ?? 200, undefined, { signal: options.signal }).catch(ignoreAbort)
  }
}

function read(bytes: Buffer, number: number): ReadLine {
  const line = parseLine(bytes)
  return line === undefined ? { kind: 'unreadable', number } : { kind: 'line', line }
}

function isRunning(record: SessionRecord): boolean {
  const now = readRecord(record.folder)
  if (!now.ok || now.record.state !== 'running') return false
  return liveness({ pid: now.record.pid, start: now.record.pidStart, machine: now.record.machine }) !== 'gone'
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
