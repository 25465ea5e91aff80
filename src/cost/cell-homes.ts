// The homes that cells had: `homes/AGENT/PROJECT` below anchorhold's data folder. What lies in them was written by agents.
import { readdirSync } from 'node:fs'
import path from 'node:path'

/** Absolute folders; none where no cell ran yet. */
export function cellHomes(cells: string): readonly string[] {
  return foldersIn(cells).flatMap(foldersIn)
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, entry.name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return []
    throw error
  }
}
