// What was built last for one wish, so that a later start asks the engine one question: $XDG_STATE_HOME/anchorhold/images/KEY.json.
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { orAbsent } from '../agents/files.ts'
import type { Image } from '../model/image.ts'

export interface BuildRecord extends Image {
  /** The base by name, and which image that was. */
  readonly base: string
  readonly baseId: string
}

/** One file for each program and each text of a Dockerfile, which names base, agent and version. */
export function recordFile(stateDir: string, wish: readonly string[]): string {
  return path.join(stateDir, 'images', `${createHash('sha256').update(JSON.stringify(wish)).digest('hex').slice(0, 32)}.json`)
}

/** A record that can't be read is none. */
export async function readRecord(file: string): Promise<BuildRecord | undefined> {
  const text = await orAbsent(readFile(file, 'utf8'))
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return isRecord(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export async function writeRecord(file: string, { base, baseId, id, reference }: BuildRecord): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(fresh, `${JSON.stringify({ reference, id, base, baseId })}\n`, { mode: 0o600, flag: 'wx' })
  await rename(fresh, file)
}

/** Ids of all images that a next run would take. */
export async function recordedIds(stateDir: string): Promise<ReadonlySet<string>> {
  const folder = path.join(stateDir, 'images')
  const names = (await orAbsent(readdir(folder))) ?? []
  const records = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => readRecord(path.join(folder, name))))
  return new Set(records.flatMap((record) => (record === undefined ? [] : [record.id, record.baseId])))
}

/** Takes away the records of images that are gone. */
export async function forget(stateDir: string, ids: ReadonlySet<string>): Promise<void> {
  const folder = path.join(stateDir, 'images')
  for (const name of (await orAbsent(readdir(folder))) ?? []) {
    const file = path.join(folder, name)
    const record = await readRecord(file)
    if (record !== undefined && ids.has(record.id)) await rm(file, { force: true })
  }
}

function isRecord(value: unknown): value is BuildRecord {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Partial<Record<string, unknown>>
  return ['reference', 'id', 'base', 'baseId'].every((key) => typeof record[key] === 'string')
}

/** Marks what was built for this state folder, so that only its owner's `prune` takes it away. */
export function stateLabel(stateDir: string): string {
  return createHash('sha256').update(stateDir).digest('hex').slice(0, 16)
}
