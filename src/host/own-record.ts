// Small files that decide something (an approval, a proof): believed only where they are this user's own and nobody else can write them.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

const mostBytes = 65_536

/** The JSON in it; undefined for a file that is missing, a link, somebody else's, writable by others, too large, or no JSON. */
export async function readOwnRecord(file: string): Promise<unknown> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const facts = await handle.stat()
    if (!facts.isFile() || facts.uid !== process.getuid?.() || (facts.mode & 0o022) !== 0 || facts.size > mostBytes) return undefined
    return JSON.parse(await handle.readFile('utf8')) as unknown
  } catch (error) {
    if (error instanceof Error) return undefined // what cannot be read decides nothing
    throw error
  }
}

/** Written whole or not at all (0600 in a 0700 folder), in the place of an older one. */
export async function writeOwnRecord(file: string, value: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(fresh, `${JSON.stringify(value)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(fresh, file)
}
