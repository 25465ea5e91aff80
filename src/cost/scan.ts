// Reads many logs into one table of records, in one thread. Neighbours: threads.ts shares the files out, the index keeps what came of each.
import { closeSync } from 'node:fs'
import { LineBuffer, openLog, readLines } from './read-lines.ts'
import { readerOf } from './readers/list.ts'
import { emptyFound, Records, type Found } from './records.ts'
import type { Reader, Scan } from './reader.ts'
import { Strings } from './strings.ts'
import { tailMark } from './tail-mark.ts'

/** One file to be read, from the beginning or from where it was read to before. */
export interface Task {
  readonly agent: string
  readonly path: string
  readonly relative: string
  readonly modified: number
  readonly offset: number
  /** Lines before the offset. */
  readonly lines: number
  readonly kept: string | undefined
  /** Of the bytes before the offset, when they were read; where it is another now, the file is read from its beginning. */
  readonly mark: string | undefined
  /** Whether there is an index, which needs a mark of what is read now. */
  readonly marked: boolean
}

/** Something about a line that makes its file incomplete. */
export interface Damage {
  readonly line: number
  readonly reason: string
}

export interface FileResult {
  /** Place in the list of tasks. */
  readonly task: number
  /** Records `[from, to)` of the table. */
  readonly from: number
  readonly to: number
  /** Whether what was known before the task's offset still holds. */
  readonly continued: boolean
  /** Behind the last line feed: what stands there now may still be half a line, and is read again next time. */
  readonly offset: number
  readonly lines: number
  /** Records that stand in a last line without a line feed. */
  readonly loose: number
  readonly damage: readonly Damage[]
  /** The damage of a last line without a line feed. */
  readonly looseDamage: readonly Damage[]
  readonly mark: string
  readonly kept: string
  readonly project: string | undefined
  readonly reports: readonly (readonly [session: number, dollars: number])[]
  readonly links: readonly (readonly [session: number, parent: number])[]
  /** Why the file could not be read at all. */
  readonly trouble?: string
}

export interface Scanned {
  readonly records: Pick<Records, 'numbers' | 'words' | 'length'>
  readonly sessions: readonly string[]
  readonly models: readonly string[]
  readonly files: readonly FileResult[]
}

export class Scanner implements Scan {
  readonly records: Records = new Records()
  readonly sessions: Strings = new Strings()
  readonly models: Strings = new Strings()
  readonly found: Found = emptyFound()
  readonly files: FileResult[] = []
  readonly #buffer = new LineBuffer()
  #from = 0
  #reports: [number, number][] = []
  #links: [number, number][] = []

  add(): void {
    this.records.add(this.found, 0, this.#from)
  }
  report(session: number, dollars: number): void {
    this.#reports = [...this.#reports.filter(([known]) => known !== session), [session, dollars]]
  }
  link(session: number, parent: number): void {
    if (session !== parent && !this.#links.some(([known, of]) => known === session && of === parent)) this.#links.push([session, parent])
  }

  read(task: Task, place: number): void {
    this.#from = this.records.length
    this.#reports = []
    this.#links = []
    try {
      const opened = openLog(task.path)
      if (opened === undefined) this.files.push(this.#nothing(place, 'it is no regular file'))
      else {
        try {
          this.files.push(this.#read(readerOf(task.agent), task, place, opened))
        } finally {
          closeSync(opened.descriptor)
        }
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      this.files.push(this.#nothing(place, String(error.code)))
    }
  }

  #read(reader: Reader, given: Task, place: number, opened: NonNullable<ReturnType<typeof openLog>>): FileResult {
    const from = this.records.length
    const continued = given.offset > 0 && given.mark === tailMark(opened.descriptor, given.offset)
    const task = continued ? given : { ...given, offset: 0, lines: 0, kept: undefined }
    const damage: Damage[] = []
    const looseDamage: Damage[] = []
    const log = reader.open({ relative: task.relative, modified: task.modified, kept: task.kept }, this)
    let whole: { readonly records: number; readonly kept: string } | undefined
    const { offset, lines } = readLines(opened, task.offset, this.#buffer, {
      next: log.next,
      line: (text, start, end, number, last) => {
        if (last) {
          // Nothing of a half line may be merged into what is kept.
          whole = { records: this.records.length, kept: log.kept }
          this.#from = whole.records
        }
        const reason = end > start ? log.line(text, start, end) : undefined
        if (reason === undefined) return
        const line = task.lines + number
        if (last) looseDamage.push({ line, reason: `${reason} (the file ends in it)` })
        else damage.push({ line, reason })
      },
      tooLong: (number) => damage.push({ line: task.lines + number, reason: 'it is longer than 64 MiB' }),
    })
    return {
      task: place,
      continued,
      from,
      to: this.records.length,
      offset,
      lines: task.lines + lines,
      loose: this.records.length - (whole?.records ?? this.records.length),
      damage,
      looseDamage,
      mark: given.marked ? tailMark(opened.descriptor, offset) : '',
      kept: whole?.kept ?? log.kept,
      project: log.project,
      reports: this.#reports,
      links: this.#links,
    }
  }

  #nothing(place: number, trouble: string): FileResult {
    const at = this.records.length
    const empty = { damage: [], looseDamage: [], reports: [], links: [], loose: 0, mark: '', project: undefined, kept: '{}' }
    return { task: place, continued: false, from: at, to: at, offset: 0, lines: 0, ...empty, trouble }
  }
}
