// Looks through changed files for credentials, once for each content: what was found is kept with the proposal by hash, since the scanner takes
// longer to load than a diff to show. Used by open-review.ts; the end of a run fills it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Change } from '../model/change.ts'
import type { Finding, Known } from '../secrets/scan/finding.ts'
import { foreignFolder } from '../secrets/scan/foreign.ts'
import type { Sides } from './collect.ts'
import { contentOf } from './tree.ts'

/** `mine`: the value of one of the reader's own secrets, which `name` names. */
export type Found = Pick<Finding, 'name' | 'line'> & { readonly mine?: true }

/** Larger files hold data; so many are read at most, the first by path. */
const largest = 2 ** 20
const mostFiles = 500

/** What is looked through for the reader's own values: everything, since that is quick, and other people's code cannot have them. */
const largestForMine = 2 ** 25
const mostForMine = 5_000

/** @returns findings by hash of the content; none for what was not looked at */
export async function scanChanges(
  changes: readonly Change[],
  sidesOf: (change: Change) => Sides,
  folder: string,
  mine: readonly Known[] = [],
): Promise<ReadonlyMap<string, readonly Found[]>> {
  const shaped = await scanShapes(changes, sidesOf, folder)
  return mine.length === 0 ? shaped : addMine(shaped, changes, sidesOf, mine)
}

/** Never kept: which values are whose changes. */
async function addMine(
  shaped: ReadonlyMap<string, readonly Found[]>,
  changes: readonly Change[],
  sidesOf: (change: Change) => Sides,
  mine: readonly Known[],
): Promise<ReadonlyMap<string, readonly Found[]>> {
  const { openScan } = await import('../secrets/scan/scan.ts')
  const scan = openScan(mine, { formats: false })
  const all = new Map(shaped)
  const wanted = changes.filter(({ after, git }) => after?.kind === 'file' && after.size <= largestForMine && git === undefined)
  for (const change of wanted.slice(0, mostForMine)) {
    if (change.after?.kind !== 'file') continue
    const found = await scan(contentOf(sidesOf(change).after, change.path, change.after), '')
    if (found.length === 0) continue
    const lines = new Set(found.map(({ line }) => line))
    const others = (shaped.get(change.after.hash) ?? []).filter(({ line }) => !lines.has(line))
    all.set(change.after.hash, [...found.map(({ name, line }): Found => ({ name, line, mine: true })), ...others])
  }
  return all
}

async function scanShapes(
  changes: readonly Change[],
  sidesOf: (change: Change) => Sides,
  folder: string,
): Promise<ReadonlyMap<string, readonly Found[]>> {
  const file = path.join(folder, 'scanned.json')
  const known = new Map(readKnown(file))
  const wanted = changes.filter(
    ({ after, path: name, git }) => after?.kind === 'file' && after.size <= largest && git === undefined && !foreignFolder.test(name),
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
