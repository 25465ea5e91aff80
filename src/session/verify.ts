// Reads a journal back as bytes, line by line, and checks its chain. Writer: journal.ts. Readers: log, restore, reap.ts.
import { closeSync, constants, openSync, readSync } from 'node:fs'
import type { JournalLine } from '../model/events.ts'
import type { SessionRecord } from '../model/session.ts'
import { journalFile } from './folders.ts'
import { chainHash, chainStart, lineLimit } from './journal.ts'

export type Verification =
  | {
      readonly ok: true
      readonly lines: number
      readonly hash: string
      /** Bytes of the good lines; `torn`: half a line follows (its writer was killed or is at it). */
      readonly bytes: number
      readonly torn: boolean
    }
  | { readonly ok: false; /** 1-based: the first line that is not as it was written. */ readonly line: number; readonly reason: string }

interface RawLine {
  readonly bytes: Buffer
  /** False for what follows the last line feed. */
  readonly ended: boolean
}

/** Lines as bytes without their line feed. Memory: one block and one line; a line above the limit is given cut. */
export function* rawLines(file: string, from = 0): Generator<RawLine> {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const block = Buffer.alloc(256 * 1024)
    let rest: Buffer = Buffer.alloc(0)
    let at = from
    for (let size = readSync(fd, block, 0, block.length, at); size > 0; size = readSync(fd, block, 0, block.length, at)) {
      at += size
      const chunk = Buffer.concat([rest, block.subarray(0, size)])
      let start = 0
      for (let end = chunk.indexOf(10, start); end !== -1; end = chunk.indexOf(10, start)) {
        yield { bytes: Buffer.from(chunk.subarray(start, end)), ended: true }
        start = end + 1
      }
      rest = Buffer.from(chunk.subarray(start))
      // No line of ours is that long: whoever wrote it, its end is not waited for.
      if (rest.length > 4 * lineLimit) break
    }
    if (rest.length > 0) yield { bytes: rest, ended: false }
  } finally {
    closeSync(fd)
  }
}

const hashAt = ',"hash":"'.length + 64 + '"}'.length

/** Checks the chain from its start, and its end against the record where the session has ended. Throws only what the file system throws. */
export function verifyJournal(session: Pick<SessionRecord, 'id' | 'folder' | 'journal'>): Verification {
  let hash = chainStart(session.id)
  let lines = 0
  let bytes = 0
  let torn = false
  for (const line of rawLines(journalFile(session.folder))) {
    if (!line.ended) {
      if (line.bytes.length > lineLimit) return { ok: false, line: lines + 1, reason: 'it is longer than any line anchorhold writes' }
      torn = true
      break
    }
    const next = checkLine(line.bytes, hash, lines)
    if ('reason' in next) return { ok: false, line: lines + 1, reason: next.reason }
    hash = next.hash
    lines += 1
    bytes += line.bytes.length + 1
  }
  const end = session.journal
  if (end === undefined) return { ok: true, lines, hash, bytes, torn }
  if (torn) return { ok: false, line: lines + 1, reason: 'something was written after the end, or the last line was cut' }
  if (lines < end.lines) return { ok: false, line: lines + 1, reason: `it was cut: ${end.lines} lines were written, ${lines} are left` }
  if (lines > end.lines) return { ok: false, line: end.lines + 1, reason: 'lines were added after the end' }
  if (hash !== end.hash) return { ok: false, line: lines, reason: 'its last line is not the one the session ended with' }
  return { ok: true, lines, hash, bytes, torn }
}

function checkLine(bytes: Buffer, previous: string, seq: number): { readonly hash: string } | { readonly reason: string } {
  const body = bytes.subarray(0, Math.max(0, bytes.length - hashAt))
  const hash = /^,"hash":"([0-9a-f]{64})"\}$/.exec(bytes.subarray(body.length).toString('latin1'))?.[1]
  if (hash === undefined) return { reason: 'it carries no hash' }
  if (chainHash(previous, Buffer.concat([body, Buffer.from('}')])) !== hash)
    return { reason: 'it was changed, or a line before it was removed, added or moved' }
  const line = parseLine(bytes)
  return line === undefined || line.seq !== seq ? { reason: 'it has another number than its place' } : { hash }
}

/** One line of a journal, or undefined when it is none. The chain is not checked, and the event's strings are hostile. */
export function parseLine(bytes: Buffer): JournalLine | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isLine(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isLine(value: unknown): value is JournalLine {
  if (typeof value !== 'object' || value === null) return false
  const { seq, time, event, hash } = value as Record<string, unknown>
  const kind = typeof event === 'object' && event !== null && 'kind' in event ? event.kind : undefined
  return typeof seq === 'number' && typeof time === 'string' && typeof hash === 'string' && typeof kind === 'string'
}
