// Files that are named after their content in a folder of the caller's cache: what an engine's command line names, so that a copy of it works.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { MadeFile } from '../model/engine.ts'

/** Unused for so long, they go. Who was given one keeps it. */
const keptMilliseconds = 7 * 24 * 3_600_000

/** The empty folder beside them. */
export function emptyFolder(folder: string): string {
  return path.join(folder, 'empty')
}

/** Those that are not there yet. */
export function writeMadeFiles(files: readonly MadeFile[]): void {
  const now = new Date()
  for (const folder of new Set(files.map((file) => path.dirname(file.path)))) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    mkdirSync(emptyFolder(folder), { recursive: true, mode: 0o755 })
    for (const name of readdirSync(folder)) {
      const place = path.join(folder, name)
      const used = statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? now.getTime()
      if (place !== emptyFolder(folder) && now.getTime() - used > keptMilliseconds) rmSync(place, { force: true })
    }
  }
  for (const file of files) {
    if (existsSync(file.path)) {
      utimesSync(file.path, now, now)
      continue
    }
    const fresh = `${file.path}.${randomBytes(4).toString('hex')}`
    writeFileSync(fresh, file.content, { mode: file.mode, flag: 'wx' })
    renameSync(fresh, file.path)
  }
}
