// Reads a log from an offset to its end through one reused buffer and hands its lines over where they lie. Opens for reading only.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { slack, type Bytes } from './bytes.ts'

/** A log's bytes where WebAssembly can read them, too, at the same places: in a memory whose first page is its own. */
export interface LogText extends Bytes {
  readonly memory: WebAssembly.Memory
}

/** The buffer of a thread. It grows for long lines, up to `longest`; a longer line is passed over. */
export class LineBuffer {
  capacity: number = usual
  text: LogText = textOf(memoryFor(usual), usual)
  grow(): boolean {
    if (this.capacity >= longest) return false
    const { memory } = this.text
    this.capacity *= 2
    memory.grow(pages(this.capacity) - memory.buffer.byteLength / page)
    this.text = textOf(memory, this.capacity)
    return true
  }
  /** After a file with a long line. */
  shrink(): void {
    if (this.capacity <= 1 << 21) return
    this.capacity = usual
    this.text = textOf(memoryFor(usual), usual)
  }
}
const usual = 1 << 18
const longest = 1 << 26
const page = 1 << 16
/** Where a log's bytes begin. */
const first = page

function pages(capacity: number): number {
  return Math.ceil((first + capacity + slack) / page)
}

function memoryFor(capacity: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages(capacity), maximum: pages(longest) })
}

function textOf(memory: WebAssembly.Memory, capacity: number): LogText {
  const length = first + capacity + slack
  return { bytes: Buffer.from(memory.buffer, 0, length), words: new DataView(memory.buffer, 0, length), memory }
}

export interface Lines {
  /** A line that ends with a line feed, or the last one of the file; its number counts from 1. Line feeds are not part of it. */
  line(text: LogText, start: number, end: number, number: number, last: boolean): void
  /** A line that is too long to be read. */
  tooLong(number: number): void
  /** Finds the next line that is to be looked at; left out: every line is. */
  readonly next?: NextLine | undefined
}

/** Where a line stands, and how many lines there are up to its end; where there was none, where the unended rest begins, and how many came before. */
export interface Stretch {
  start: number
  end: number
  passed: number
}

/** Looks for a line between `start`, where one begins, and `filled`, where a line feed stands; before `search` there is none. */
export type NextLine = (text: LogText, start: number, search: number, filled: number, found: Stretch) => boolean

function everyLine({ bytes }: LogText, start: number, search: number, filled: number, found: Stretch): boolean {
  const feed = bytes.indexOf(10, search)
  const is = feed !== -1 && feed < filled
  found.start = start
  found.end = feed
  found.passed = is ? 1 : 0
  return is
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

export interface Read {
  /** Behind the last line feed. */
  readonly offset: number
  /** Lines that end with one. */
  readonly lines: number
}

/** Reads `[offset, size)`. A file that grows meanwhile is read up to `size`. */
export function readLines({ descriptor, size }: Opened, offset: number, buffer: LineBuffer, lines: Lines): Read {
  const next = lines.next ?? everyLine
  const found: Stretch = { start: 0, end: 0, passed: 0 }
  let position = offset
  let held = 0
  let whole = offset
  let count = 0
  let passing = false
  for (;;) {
    const wanted = Math.min(buffer.capacity - held, size - position)
    const read = wanted === 0 ? 0 : readSync(descriptor, buffer.text.bytes, first + held, wanted, position)
    if (read === 0) break
    position += read
    const { text } = buffer
    const { bytes } = text
    const filled = first + held + read
    // So that the search ends here, not in what an earlier file left behind.
    bytes[filled] = 10
    let start = first
    let search = first + held
    if (passing) {
      const feed = bytes.indexOf(10, first)
      passing = feed >= filled
      start = search = passing ? filled : feed + 1
    }
    for (let more = !passing; more;) {
      more = next(text, start, search, filled, found)
      count += found.passed
      if (more) lines.line(text, found.start, found.end, count, false)
      start = search = more ? found.end + 1 : found.start
    }
    if (start > first && !passing) whole = position - (filled - start)
    held = filled - start
    if (start > first) bytes.copyWithin(first, start, filled)
    if (held === buffer.capacity && !buffer.grow()) {
      lines.tooLong(++count)
      passing = true
      held = 0
    }
  }
  if (held > 0) lines.line(buffer.text, first, first + held, count + 1, true)
  buffer.shrink()
  return { offset: whole, lines: count }
}
