// Which files a run left behind: those whose ctime is not before its start, since a ctime can't be set (inode(7)). Costs one look at each file,
// so it is given a time. Loaded by every run; reads no content.
import { lstatSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { now } from '../host/clock.ts'

export interface Changed {
  readonly files: readonly { readonly place: number; readonly file: string; readonly size: number }[]
  /** False where the time was over, or a folder could not be read. */
  readonly complete: boolean
}

/** How long one slice may keep this process from answering to signals, and to those who tell it of the end. */
const slice = 5

/** Names that are looked at however slow the machine is just now. */
const atLeast = 256

/**
 * Regular files at or below these places, never through a link; the folders nearest to the top first, git's objects left out.
 * @param since milliseconds since the epoch
 */
export async function changedSince(places: readonly string[], since: number, milliseconds: number): Promise<Changed> {
  const files: Changed['files'][number][] = []
  const seen = new Set<string>()
  const end = now() + milliseconds
  let pause = now() + slice
  let complete = true
  const waiting = places.map((file, place) => ({ file, place }))
  for (let at = 0; at < waiting.length; at += 1) {
    const { file, place } = waiting[at] ?? { file: '', place: 0 }
    const facts = lstatSync(file, { throwIfNoEntry: false })
    if (facts?.isFile() === true && facts.ctimeMs >= since && !seen.has(file)) {
      seen.add(file)
      files.push({ place, file, size: facts.size })
    }
    if (facts?.isDirectory() === true && !seen.has(file)) {
      seen.add(file)
      complete = list(file, place, waiting) && complete
    }
    if (at < atLeast || at % 64 !== 0) continue
    const time = now()
    if (time >= end) return { files, complete: false }
    if (time < pause) continue
    await new Promise((resolve) => setImmediate(resolve))
    pause = now() + slice
  }
  return { files, complete }
}

function list(folder: string, place: number, waiting: { readonly file: string; readonly place: number }[]): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name)
      const isWanted = entry.isFile() || (entry.isDirectory() && !(entry.name === 'objects' && /\/\.git(?:\/|$)/.test(folder)))
      if (isWanted) waiting.push({ file, place })
    }
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}
