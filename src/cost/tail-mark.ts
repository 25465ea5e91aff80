// Tells whether the part of a log that was read before is still the same: a mark over its beginning and its end. Logs are only appended to; a
// file that was written anew differs in one of them.
import { readSync } from 'node:fs'
import { bytesOf, hashHigh, hashLow } from './bytes.ts'

const headLength = 256
const tailLength = 512
const head = bytesOf(headLength)
const tail = bytesOf(tailLength)

/** The mark of the bytes `[0, offset)` of an open file. */
export function tailMark(descriptor: number, offset: number): string {
  const first = readSync(descriptor, head.bytes, 0, Math.min(headLength, offset), 0)
  const last = Math.min(tailLength, offset)
  const read = readSync(descriptor, tail.bytes, 0, last, offset - last)
  return [hashLow(head, 0, first, 1), hashLow(tail, 0, read, 2), hashHigh(tail, 0, read, 3)]
    .map((part) => (part >>> 0).toString(36))
    .join('.')
}
