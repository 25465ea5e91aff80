// What is kept of earlier readings: numbers, hashes and names of files, never a log's text. One file in the user's cache, replaced as a whole
// under its name, so that two runs at once cannot spoil it; whatever is odd about it makes it as if it were not there.
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { object, parseObject, type Json } from './json.ts'
import type { Folder } from './find-logs.ts'
import type { LogFacts, Logs } from './logs.ts'
import { numbersWide, wordsWide } from './records.ts'

/** Raised whenever records or facts change their meaning. */
const format = 4
const magic = 0x68616375
const headerBytes = 32

export interface Index {
  readonly numbers: Float64Array<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  readonly sessions: readonly string[]
  readonly models: readonly string[]
  readonly files: ReadonlyMap<string, LogFacts>
  readonly folders: ReadonlyMap<string, Folder>
}

interface Kept {
  readonly version: string
  readonly sessions: readonly string[]
  readonly models: readonly string[]
  readonly files: readonly LogFacts[]
  readonly folders: readonly Folder[]
}

/** The index that a version of anchorhold wrote; undefined where there is none or it is damaged or another's. */
export function readIndex(file: string, version: string): Index | undefined {
  const bytes = readWhole(file)
  if (bytes === undefined || bytes.byteLength < headerBytes) return undefined
  const header = new Uint32Array(bytes, 0, headerBytes / 4)
  const [mark, written, jsonBytes = 0, count = 0, low, high] = header
  const numbersAt = headerBytes + jsonBytes
  const wordsAt = numbersAt + count * numbersWide * 8
  if (mark !== magic || written !== format || jsonBytes % 8 !== 0 || bytes.byteLength !== wordsAt + count * wordsWide * 4) return undefined
  const [ownLow, ownHigh] = checksum(new Uint32Array(bytes, headerBytes))
  if (low !== ownLow || high !== ownHigh) return undefined
  const kept = readKept(Buffer.from(bytes, headerBytes, jsonBytes).toString('utf8'), count)
  if (kept?.version !== version) return undefined
  return {
    numbers: new Float64Array(bytes, numbersAt, count * numbersWide),
    words: new Int32Array(bytes, wordsAt, count * wordsWide),
    sessions: kept.sessions,
    models: kept.models,
    files: new Map(kept.files.map((facts) => [facts.path, facts])),
    folders: new Map(kept.folders.map((folder) => [folder.path, folder])),
  }
}

/** Undefined where it is another form than ours: then it was written by another build, and is written anew. */
function readKept(text: string, count: number): Kept | undefined {
  const kept = parseObject(text.trimEnd())
  const { sessions, models, files, folders } = kept ?? {}
  if (!Array.isArray(sessions) || !Array.isArray(models) || !Array.isArray(files) || !Array.isArray(folders)) return undefined
  const sound =
    files.every((facts: unknown) => isFacts(object(facts), count)) && folders.every((folder: unknown) => isFolder(object(folder)))
  return sound ? (kept as unknown as Kept) : undefined
}

function isFolder(folder: Json | undefined): boolean {
  return typeof folder?.['path'] === 'string' && Array.isArray(folder['folders']) && Array.isArray(folder['files'])
}

function isFacts(facts: Json | undefined, count: number): boolean {
  if (facts === undefined) return false
  const { from, to } = facts
  return (
    typeof facts['path'] === 'string' &&
    typeof facts['mark'] === 'string' &&
    typeof facts['kept'] === 'string' &&
    typeof from === 'number' &&
    typeof to === 'number' &&
    from >= 0 &&
    from <= to &&
    to <= count &&
    [facts['size'], facts['modified'], facts['changed'], facts['inode'], facts['offset'], facts['lines']].every(
      (value) => typeof value === 'number',
    ) &&
    [facts['damage'], facts['loose'], facts['reports'], facts['links']].every((value) => Array.isArray(value))
  )
}

/** Keeps what was read; records of half lines are left out. A cache that cannot be written is no failure: the next run reads again. */
export function writeIndex(file: string, version: string, logs: Logs, folders: readonly Folder[], count: number): void {
  const kept: Kept = {
    version,
    sessions: logs.sessions,
    models: logs.models,
    files: logs.files.filter(({ trouble }) => trouble === undefined).map((facts) => ({ ...facts, loose: [] })),
    folders,
  }
  const text = Buffer.from(JSON.stringify(kept))
  const jsonBytes = Math.ceil(text.length / 8) * 8
  const bytes = new ArrayBuffer(headerBytes + jsonBytes + count * (numbersWide * 8 + wordsWide * 4))
  const whole = Buffer.from(bytes)
  whole.fill(0x20, headerBytes, headerBytes + jsonBytes)
  text.copy(whole, headerBytes)
  new Float64Array(bytes, headerBytes + jsonBytes, count * numbersWide).set(logs.records.numbers.subarray(0, count * numbersWide))
  const words = new Int32Array(bytes, headerBytes + jsonBytes + count * numbersWide * 8, count * wordsWide)
  words.set(logs.records.words.subarray(0, count * wordsWide))
  new Uint32Array(bytes, 0, headerBytes / 4).set([magic, format, jsonBytes, count, ...checksum(new Uint32Array(bytes, headerBytes))])
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(draft, whole, { mode: 0o600, flag: 'wx' })
    renameSync(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    rmSync(draft, { force: true })
  }
}

/** The file's bytes on a boundary that columns can lie on. */
function readWhole(file: string): ArrayBuffer | undefined {
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const facts = fstatSync(descriptor)
      if (!facts.isFile() || facts.uid !== process.getuid?.()) return undefined
      const bytes = new ArrayBuffer(facts.size)
      const view = new Uint8Array(bytes)
      let filled = 0
      while (filled < facts.size) {
        const count = readSync(descriptor, view, filled, facts.size - filled, filled)
        if (count === 0) return undefined
        filled += count
      }
      return bytes
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** Against damage, not against forgery: the cache is the user's own. Four lanes, since each waits for its own last step only. */
function checksum(words: Uint32Array): readonly [number, number] {
  let [a, b, c, d] = [1, 2, 3, 4]
  const { length } = words
  for (let at = 0; at + 3 < length; at += 4) {
    a = (Math.imul(a, 31) + (words[at] as number)) | 0
    b = (Math.imul(b, 37) + (words[at + 1] as number)) | 0
    c = (Math.imul(c, 41) + (words[at + 2] as number)) | 0
    d = (Math.imul(d, 43) + (words[at + 3] as number)) | 0
  }
  for (let at = length & ~3; at < length; at++) a = (Math.imul(a, 31) + (words[at] as number)) | 0
  return [(a ^ Math.imul(c, 0x9e3779b1)) >>> 0, (b ^ Math.imul(d, 0x85ebca6b)) >>> 0]
}
