// The scout's indexes under STATE/scan: one per root and table, of use only to the next run on the same root. Old ones go.
import { readdir, rm, stat } from '../host/at-once.ts'
import path from 'node:path'

/** Kept without a look at their age. */
const most = 64

/** Removes the least recently written indexes above the number that is kept. Never rejects: another run may be at it too. */
export async function pruneIndexes(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  if (names.length <= most) return
  const aged = await Promise.all(
    names.map(async (name) => ({ name, written: (await stat(path.join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  )
  const old = aged.toSorted((a, b) => b.written - a.written).slice(most / 2)
  for (const { name } of old) await rm(path.join(folder, name), { force: true }).catch(() => undefined)
}
