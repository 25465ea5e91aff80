// The session's journal: append-only JSON lines, each hashed over the one before. Written here, read by read.ts and verify.ts.
// The chain shows changes by whoever can't rewrite the whole file and the record; it is no signature.
import { hash as digest } from 'node:crypto'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { SessionEvent } from '../model/events.ts'
import { boundedJson, canonicalJson } from './canonical.ts'
import { openRepeats } from './repeats.ts'

/** Bytes of one line, line feed included. */
export const lineLimit: number = 16 * 1024
const defaultCap = 64 * 2 ** 20
/** Kept free for the marker, the counts still held back and the end. */
const reserve = 64 * 1024

export interface JournalInput {
  readonly file: string
  /** The chain's first link: it binds the journal to its session. */
  readonly session: string
  /** Bytes of the whole file; default 64 MiB. */
  readonly cap?: number
  /** Continues a chain whose last line is known (a reaped session). */
  readonly after?: { readonly lines: number; readonly hash: string; readonly bytes: number }
  /** Keeps what comes before `settle`: a start writes it when there is time. */
  readonly patient?: boolean
  /** Called once when a line can't be written; nothing is written afterwards. */
  readonly onBroken: (error: Error) => void
}

export interface Journal {
  /** Writes one event, or keeps it until `settle`; never throws. */
  append(event: SessionEvent): void
  /** Writes what was kept, and everything from now on as it comes. Idempotent. */
  settle(): void
  /** Writes what was held back, closes the file, gives the chain's end. Idempotent. */
  close(): { readonly lines: number; readonly hash: string }
}

/** What the first line is hashed over in place of a previous hash. */
export function chainStart(session: string): string {
  return digest('sha256', `anchorhold journal of ${session}`)
}

/** sha-256 (hex) over the previous hash, a line feed, and the line's bytes without its `hash` member. */
export function chainHash(previous: string, body: string | Uint8Array): string {
  return digest('sha256', typeof body === 'string' ? `${previous}\n${body}` : Buffer.concat([Buffer.from(`${previous}\n`), body]))
}

/** Opens (O_APPEND, O_NOFOLLOW, 0600) a new journal, or an existing one with `after`. Throws the system's error. */
export function openJournal(input: JournalInput): Journal {
  const fresh = input.after === undefined ? constants.O_CREAT | constants.O_EXCL : 0
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | fresh
  const fd = openSync(input.file, flags, 0o600)
  const cap = Math.max(input.cap ?? defaultCap, 4 * reserve)
  const state = {
    lines: input.after?.lines ?? 0,
    hash: input.after?.hash, // of the last line; none yet: `last`
    bytes: input.after?.bytes ?? 0,
    full: false,
    open: true,
    broken: false,
  }

  const last = (): string => (state.hash ??= chainStart(input.session))

  const write = (event: SessionEvent, room: number, at = new Date()): boolean => {
    if (!state.open || state.broken) return true
    try {
      const time = at.toISOString()
      const head = `{"event":${boundedJson(event, lineLimit - 256)},"seq":${state.lines},"time":${canonicalJson(time)}}`
      const hash = chainHash(last(), head)
      const line = Buffer.from(`${head.slice(0, -1)},"hash":"${hash}"}\n`)
      if (state.bytes + line.length > room) return false
      if (writeSync(fd, line) !== line.length) throw new Error('the journal was written only in part: is the disk full?')
      Object.assign(state, { lines: state.lines + 1, hash, bytes: state.bytes + line.length })
    } catch (error) {
      state.broken = true
      input.onBroken(error instanceof Error ? error : new Error(String(error)))
    }
    return true
  }

  const repeats = openRepeats()
  const append = (event: SessionEvent, at?: Date): void => {
    for (const kept of repeats.pass(event)) {
      const room = kept.kind === 'session.ended' ? cap : kept.kind.startsWith('network.') ? cap * 0.75 : cap - reserve
      if (write(kept, room, at) || state.full) continue
      state.full = true
      write({ kind: 'journal.full', bytes: state.bytes }, cap)
    }
  }
  let waiting: { readonly event: SessionEvent; readonly at: Date }[] | undefined = input.patient === true ? [] : undefined
  const settle = (): void => {
    const kept = waiting ?? []
    waiting = undefined
    for (const { event, at } of kept) append(event, at)
  }

  return {
    append: (event) => void (waiting === undefined ? append(event) : waiting.push({ event, at: new Date() })),
    settle,
    close: () => {
      settle()
      if (state.open) {
        for (const event of repeats.rest()) if (!write(event, cap - reserve / 2)) break
        state.open = false
        closeSync(fd)
      }
      return { lines: state.lines, hash: last() }
    },
  }
}
