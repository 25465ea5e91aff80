// Secrets: anchorhold's own store: one file per name (0600) in a folder of the user's (0700) below the data folder. Plain: a key kept beside it
// would open it for whoever can read it. Written by `anchorhold secret`, read by sources.ts.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { codeOf } from '../host/error-code.ts'
import { checkName } from './value.ts'

export interface Stored {
  readonly name: string
  readonly changedAt: Date
}

/** The value. Throws Failure `secret/not-stored` or `secret/store-unsafe`. */
export async function readStored(dataDir: string, name: string): Promise<string> {
  const file = path.join(await folderOf(dataDir), checkName(name))
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') throw new Failure('secret/not-stored', { secret: name })
    throw new Failure('secret/store-unsafe', { path: file, reason: `it can't be opened (${codeOf(error)})` })
  })
  await using scope = new AsyncDisposableStack()
  scope.defer(() => handle.close())
  const facts = await handle.stat()
  const reason = !facts.isFile() || facts.nlink !== 1 ? 'it is no ordinary file, or has a second name' : unsafe(facts)
  if (reason !== undefined) throw new Failure('secret/store-unsafe', { path: file, reason })
  return handle.readFile('utf8')
}

/** Writes whole or not at all, over an older value too: readers see the old or the new one. */
export async function writeStored(dataDir: string, name: string, value: string): Promise<void> {
  const folder = await folderOf(dataDir, true)
  const fresh = path.join(folder, `.${randomBytes(6).toString('hex')}`)
  const handle = await open(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    await handle.writeFile(value)
    await handle.sync()
    await rename(fresh, path.join(folder, checkName(name)))
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

/** Whether there was one. */
export async function removeStored(dataDir: string, name: string): Promise<boolean> {
  const file = path.join(await folderOf(dataDir), checkName(name))
  return rm(file).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    },
  )
}

/** Names alone, in order. */
export async function listStored(dataDir: string): Promise<readonly Stored[]> {
  const folder = await folderOf(dataDir)
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  const found = names.toSorted().flatMap((name) => (isName(name) ? [name] : []))
  return Promise.all(found.map(async (name) => ({ name, changedAt: (await lstat(path.join(folder, name))).mtime })))
}

/** The store's folder, refused where somebody else could have put it there. */
async function folderOf(dataDir: string, make = false): Promise<string> {
  const folder = path.join(dataDir, 'secrets')
  if (make) await mkdir(folder, { recursive: true, mode: 0o700 })
  const facts = await lstat(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  const reason = facts === undefined ? undefined : facts.isDirectory() ? unsafe(facts) : 'it is no folder (a link?)'
  if (reason !== undefined) throw new Failure('secret/store-unsafe', { path: folder, reason })
  return folder
}

function unsafe({ uid, mode }: { readonly uid: number; readonly mode: number }): string | undefined {
  if (uid !== process.getuid?.()) return 'it belongs to another user'
  return (mode & 0o077) === 0 ? undefined : `others may read or write it (mode ${(mode & 0o777).toString(8)})`
}

function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(text)
}
