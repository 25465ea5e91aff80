// Tells whether the part of a log that was read before is still the same: a mark over its beginning and its end. Logs are only appended to; a
// file that was written anew differs in one of them.
import { readSync } from 'node:fs'
import { hashHigh, hashLow } from './claude/bytes.ts'

const head = Buffer.alloc(256)
const tail = Buffer.alloc(512)

/** The mark of the bytes `[0, offset)` of an open file. */
export function tailMark(descriptor: number, offset: number): string {
  const first = readSync(descriptor, head, 0, Math.min(head.length, offset), 0)
  const last = Math.min(tail.length, offset)
  const read = readSync(descriptor, tail, 0, last, offset - last)
  return `${hashLow(head, 0, first, 1).toString(36)}.${hashLow(tail, 0, read, 2).toString(36)}.${hashHigh(tail, 0, read, 3).toString(36)}`
}
