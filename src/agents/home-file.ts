// Writes an agent's starting files into its kept home. The agent can write that folder too, so nothing in it is
// trusted: no link is followed, no special file is opened for long, and a file is replaced as a whole.
import { constants } from 'node:fs'
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { errorCode, parseJson } from './files.ts'

export type JsonObject = { readonly [key: string]: unknown }

const maxBytes = 32 * 2 ** 20

/**
 * Reads a JSON object below `home` ({} where it is absent), and writes what `change` makes of it when that differs.
 * @param file one name, or a folder and a name: `.claude/settings.json`
 * @throws Failure 'agent/home-unreadable' for anything but a JSON object in a regular file
 */
export async function updateJson(home: string, file: string, change: (old: JsonObject) => JsonObject): Promise<void> {
  await using folder = await openFolder(home, path.dirname(file))
  // /proc/self/fd pins the folder that was opened: a link put in its place meanwhile is not followed.
  const name = `/proc/self/fd/${folder.fd}/${path.basename(file)}`
  const old = await readHere(name, path.join(home, file))
  const next = change(old ?? {})
  if (old !== undefined && JSON.stringify(old) === JSON.stringify(next)) return
  const fresh = `${name}.${randomUUID()}`
  try {
    await using handle = await open(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
    await handle.writeFile(`${JSON.stringify(next, null, 2)}\n`)
    await handle.close()
    await rename(fresh, name)
  } catch (error) {
    await rm(fresh, { force: true })
    throw new Failure(
      'agent/home-unreadable',
      { path: path.join(home, file), reason: errorCode(error) || 'it cannot be replaced' },
      { cause: error },
    )
  }
}

async function openFolder(home: string, below: string): Promise<FileHandle> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  if (below === '.') return open(home, flags)
  await using top = await open(home, flags)
  const inner = `/proc/self/fd/${top.fd}/${below}`
  try {
    await mkdir(inner, { mode: 0o700 })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
  try {
    return await open(inner, flags)
  } catch (error) {
    throw new Failure('agent/home-unreadable', { path: path.join(home, below), reason: 'it is not a folder of its own' }, { cause: error })
  }
}

async function readHere(name: string, shown: string): Promise<JsonObject | undefined> {
  const unusable = (reason: string, cause?: unknown): Failure => new Failure('agent/home-unreadable', { path: shown, reason }, { cause })
  try {
    await using handle = await open(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const info = await handle.stat()
    if (!info.isFile()) throw unusable('it is not a regular file')
    if (info.size > maxBytes) throw unusable(`it is larger than ${maxBytes} bytes`)
    const text = await handle.readFile('utf8')
    if (text.trim() === '') return {}
    const parsed = parseJson(text)
    if (!isJsonObject(parsed)) throw unusable('it is not a JSON object')
    return parsed
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    if (error instanceof Failure) throw error
    throw unusable(errorCode(error) === 'ELOOP' ? 'it is a symbolic link' : errorCode(error), error)
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as an object; {} for anything else. */
export function readObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}
