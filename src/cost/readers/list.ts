// The agents whose logs are read: one line each.
import type { Reader } from '../reader.ts'
import { claude } from './claude.ts'
import { codex } from './codex.ts'

export const readers: readonly Reader[] = [claude, codex]

/** The reader of an agent of this list. */
export function readerOf(agent: string): Reader {
  const found = readers.find((reader) => reader.agent === agent)
  if (found === undefined) throw new Error(`there is no reader for ${agent}`)
  return found
}
