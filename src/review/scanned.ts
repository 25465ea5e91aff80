// Looks through changed files for credentials, once for each content: what was found is kept with the proposal by hash, since the scanner takes
// longer to load than a diff to show. Used by open-review.ts; the end of a run fills it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Change } from '../model/change.ts'
import type { Finding } from '../secrets/scan/finding.ts'
import type { Sides } from './collect.ts'
import { contentOf } from './tree.ts'

export type Found = Pick<Finding, 'name' | 'line'>

/** Larger files hold data; so many are read at most, the first by path. */
const largest = 2 ** 20
const mostFiles = 500
/** Other people's code: its keys are no leak of the reader's. */
const foreign = /(?:^|\/)(?:node_modules|\.venv|venv|site-packages|vendor|third_party|\.git)\//

/** @returns findings by hash of the content; none for what was not looked at */
export async function scanChanges(
  changes: readonly Change[],
  sidesOf: (change: Change) => Sides,
  folder: string,
): Promise<ReadonlyMap<string, readonly Found[]>> {
  const file = path.join(folder, 'scanned.json')
  const known = new Map(readKnown(file))
  const wanted = changes.filter(
    ({ after, path: name, git }) => after?.kind === 'file' && after.size <= largest && git === undefined && !foreign.test(name),
  )
  const fresh = wanted.slice(0, mostFiles).filter(({ after }) => after?.kind === 'file' && !known.has(after.hash))
  if (fresh.length === 0) return known
  const { openScan } = await import('../secrets/scan/scan.ts')
  const scan = openScan([])
  for (const change of fresh) {
    if (change.after?.kind !== 'file') continue
    const content = contentOf(sidesOf(change).after, change.path, change.after)
    const found = await scan(content, path.posix.basename(change.path).toWellFormed())
    known.set(
      change.after.hash,
      found.map(({ name, line }) => ({ name, line })),
    )
  }
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, JSON.stringify([...known]), { mode: 0o600 })
  renameSync(beside, file)
  return known
}

function readKnown(file: string): readonly (readonly [string, readonly Found[]])[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as readonly (readonly [string, readonly Found[]])[]
  } catch (error) {
    // Absent, or half-written by an older version: everything is looked at again.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return []
    throw error
  }
}
