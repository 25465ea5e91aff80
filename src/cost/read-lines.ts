// Reads a log from an offset to its end through one reused buffer and hands its lines over where they lie. Opens for reading only.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { bytesOf, type Bytes } from './bytes.ts'

/** The buffer of a thread. It grows for long lines, up to `longest`; a longer line is passed over. */
export class LineBuffer {
  capacity: number = usual
  text: Bytes = bytesOf(usual)
  grow(): boolean {
    if (this.capacity >= longest) return false
    const { bytes } = this.text
    this.capacity *= 2
    this.text = bytesOf(this.capacity)
    bytes.copy(this.text.bytes)
    return true
  }
  /** After a file with a long line. */
  shrink(): void {
    if (this.capacity <= 1 << 21) return
    this.capacity = usual
    this.text = bytesOf(usual)
  }
}
const usual = 1 << 18
const longest = 1 << 26

export interface Lines {
  /** A line that ends with a line feed, or the last one of the file. Line feeds are not part of it. */
  line(text: Bytes, start: number, end: number, last: boolean): void
  /** A line that is too long to be read. */
  tooLong(): void
}

export interface Opened {
  readonly descriptor: number
  readonly size: number
}

/** Opens a log without following a link in its last part, and never waits for a pipe. Undefined where it is no regular file. */
export function openLog(path: string): Opened | undefined {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const facts = fstatSync(descriptor)
  if (facts.isFile()) return { descriptor, size: facts.size }
  closeSync(descriptor)
  return undefined
}

/** Reads `[offset, size)`; the offset behind the last line feed. A file that grows meanwhile is read up to `size`. */
export function readLines({ descriptor, size }: Opened, offset: number, buffer: LineBuffer, lines: Lines): number {
  let position = offset
  let held = 0
  let whole = offset
  let passing = false
  for (;;) {
    const wanted = Math.min(buffer.capacity - held, size - position)
    const count = wanted === 0 ? 0 : readSync(descriptor, buffer.text.bytes, held, wanted, position)
    if (count === 0) break
    position += count
    const { text } = buffer
    const { bytes } = text
    const filled = held + count
    // So that the search ends here, not in what an earlier file left behind.
    bytes[filled] = 10
    let start = 0
    let search = held
    for (;;) {
      const feed = bytes.indexOf(10, search)
      if (feed === -1 || feed >= filled) break
      if (passing) passing = false
      else lines.line(text, start, feed, false)
      start = search = feed + 1
    }
    if (start > 0) whole = position - (filled - start)
    held = filled - start
    if (passing) held = 0
    else if (start > 0) bytes.copyWithin(0, start, filled)
    if (held === buffer.capacity && !buffer.grow()) {
      lines.tooLong()
      passing = true
      held = 0
    }
  }
  if (held > 0) lines.line(buffer.text, 0, held, true)
  buffer.shrink()
  return whole
}
