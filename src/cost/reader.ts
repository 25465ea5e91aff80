// The axis of agents whose logs can be read: one file each in readers/, one line each in readers/list.ts. A reader knows where its logs lie and
// what a line means; reading files, the index, dedupe, prices and views are the same for all.
import type { LogText, NextLine } from './read-lines.ts'
import type { Found } from './records.ts'
import type { Strings } from './strings.ts'

/** Where logs may lie. `cells` are the homes of cells: folders an agent wrote, so no link in them is followed. */
export interface Places {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly cells: string
}

export interface Root {
  readonly folder: string
  /** Written from inside a cell. */
  readonly untrusted: boolean
}

export interface Reader {
  readonly agent: string
  /** Folders with logs, whether they exist or not. */
  roots(places: Places): readonly Root[]
  /** Whether a file below a root is a log, by its path from there. */
  isLog(relative: string): boolean
  /** The session a file is named after, if it is. */
  sessionOf(relative: string): string | undefined
  open(file: OpenFile, scan: Scan): LineReader
  /** What a line shows of the work, for one session in detail; no work where it is damaged. */
  workIn(line: string): Work
}

export interface Work {
  /** Tools that the model called, each with the call's own id. */
  readonly tools: readonly (readonly [id: string, name: string])[]
  /** The user asked for something: a new turn begins. */
  readonly prompt: boolean
  /** What was said before was cut down to a summary. */
  readonly compacted: boolean
  /** The subagent whose line it is. */
  readonly agent: string | undefined
}

export interface OpenFile {
  readonly relative: string
  /** When the file was last written, for lines without a time. */
  readonly modified: number
  /** What `kept` was when the reading of this file stopped; undefined at its beginning. */
  readonly kept: string | undefined
}

/** Reads the lines of one file in their order. */
export interface LineReader {
  /** One line, without its line feed; what is wrong with it, or undefined. */
  line(text: LogText, start: number, end: number): string | undefined
  /** Finds the lines that `line` is to be asked about; left out: all of them. */
  readonly next?: NextLine
  /** What reading needs to go on later, where the file has grown; and what is known of the file as a whole. */
  readonly kept: string
  /** Folder the agent worked in. */
  readonly project: string | undefined
}

/** What the scan of many files shares. */
export interface Scan {
  readonly sessions: Strings
  readonly models: Strings
  /** Filled by a reader, then handed to `add`. */
  readonly found: Found
  add(): void
  /** The agent's own total for a session, in dollars; a later one replaces it. */
  report(session: number, dollars: number): void
  /** A session that goes on from another one, or belongs to it. */
  link(session: number, parent: number): void
}
