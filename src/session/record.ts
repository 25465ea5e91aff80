// record.json of a session: written whole and at once, read with suspicion (bounded, no link followed, every field checked).
import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../host/error-code.ts'
import type { SessionRecord } from '../model/session.ts'
import { canonicalJson } from './canonical.ts'
import { idPattern, recordFile } from './folders.ts'

const maxBytes = 256 * 1024

/** Writes a new record (0600) or replaces one: readers see the old or the new, never half. */
export function writeRecord(record: SessionRecord): void {
  const temporary = path.join(record.folder, `.record-${process.pid}-${process.hrtime.bigint().toString(36)}`)
  writeFileSync(temporary, `${canonicalJson(record)}\n`, { flag: 'wx', mode: 0o600 })
  renameSync(temporary, recordFile(record.folder))
}

/** The record of a session folder, or why it can't be read. Never throws. */
export function readRecord(
  folder: string,
): { readonly ok: true; readonly record: SessionRecord } | { readonly ok: false; readonly reason: string } {
  try {
    const fd = openSync(recordFile(folder), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile() || stat.size > maxBytes) return { ok: false, reason: 'record.json is no ordinary file of reasonable size' }
      return check(JSON.parse(readFileSync(fd, 'utf8')), folder)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, reason: 'record.json is not JSON' }
    const code = codeOf(error)
    return { ok: false, reason: code === 'ENOENT' ? 'record.json is missing' : `record.json cannot be read (${code})` }
  }
}

type Shape = { readonly [K in keyof Required<SessionRecord>]: (value: unknown) => boolean }

const text = (value: unknown): boolean => typeof value === 'string'
const count = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)
const instant = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value))
const orNone = (test: (value: unknown) => boolean) => (value: unknown) => value === undefined || test(value)

const shape: Shape = {
  id: (value) => typeof value === 'string' && idPattern.test(value),
  name: orNone(text),
  project: text,
  agent: text,
  engine: text,
  startedAt: instant,
  endedAt: orNone(instant),
  state: (value) => value === 'running' || value === 'ended' || value === 'crashed',
  pid: count,
  pidStart: count,
  machine: text,
  exitCode: orNone(count),
  folder: text,
  dryRun: (value) => value === undefined || value === true,
  proposal: orNone((value) => typeof value === 'string' && idPattern.test(value)),
  journal: orNone((value) => isObject(value) && count(value['lines']) && text(value['hash'])),
}

function check(value: unknown, folder: string): ReturnType<typeof readRecord> {
  if (!isObject(value)) return { ok: false, reason: 'record.json is no object' }
  for (const [key, test] of Object.entries(shape)) if (!test(value[key])) return { ok: false, reason: `record.json has no valid "${key}"` }
  if (value['id'] !== path.basename(folder)) return { ok: false, reason: 'record.json belongs to another session' }
  // The folder it was found in is the truth; a state folder may have been moved.
  return { ok: true, record: { ...(value as unknown as SessionRecord), folder } }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
