// Where sessions lie below the state folder, and the running markers: one symbolic link per live session.
// A link's target is its whole content, so that a marker appears at once, never half-written.
import path from 'node:path'
import type { ProcessMark } from '../host/liveness.ts'

/** `YYYYMMDD-HHMMSS-xxxx`, UTC: sorts by time. */
export const idPattern: RegExp = /^\d{8}-\d{6}-[0-9a-z]{4}$/

export function sessionsDir(stateDir: string): string {
  return path.join(stateDir, 'sessions')
}
export function sessionFolder(stateDir: string, id: string): string {
  return path.join(stateDir, 'sessions', id)
}
export function runningDir(stateDir: string): string {
  return path.join(stateDir, 'running')
}
export function journalFile(folder: string): string {
  return path.join(folder, 'journal.jsonl')
}
export function recordFile(folder: string): string {
  return path.join(folder, 'record.json')
}

/** A process mark as one word, for a marker's target. */
export function markText(mark: ProcessMark): string {
  return `${mark.pid}:${mark.start}:${mark.machine}`
}

export function parseMark(text: string): ProcessMark | undefined {
  const [, pid, start, machine] = /^(\d{1,10}):(\d{1,20}):([\w./-]{1,200})$/.exec(text) ?? []
  return pid === undefined || start === undefined || machine === undefined ? undefined : { pid: Number(pid), start: Number(start), machine }
}
