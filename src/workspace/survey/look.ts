// Names below a folder, breadth first and bounded: for the survey of a policy, which may say "I looked no further" but must not take a minute.
import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'

/** Entries that are looked at in one folder with everything below it. */
const most = 20_000
/** Big, and made by machines: not gone into. */
const skipped: ReadonlySet<string> = new Set(['node_modules', '.venv', 'target', '__pycache__'])

/** Calls `see` with every path below (relative to `start`; '' for the thing itself). False where more was there than is looked at. */
export async function lookThrough(start: string, see: (relative: string, entry: 'folder' | 'file') => void): Promise<boolean> {
  const facts = await lstat(start).catch(() => undefined)
  if (facts?.isDirectory() !== true) {
    if (facts !== undefined) see('', 'file')
    return facts !== undefined
  }
  let left = most
  let whole = true
  const waiting = ['']
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    const entries = await readdir(path.join(start, folder), { withFileTypes: true }).catch((): Dirent[] => ((whole = false), []))
    for (const entry of entries) {
      if (--left < 0) return false
      const relative = folder === '' ? entry.name : `${folder}/${entry.name}`
      const isFolder = entry.isDirectory()
      see(relative, isFolder ? 'folder' : 'file')
      if (!isFolder) continue
      if (!skipped.has(entry.name) && !(entry.name === 'objects' && folder.endsWith('.git'))) waiting.push(relative)
    }
  }
  return whole
}
