// A live run as diff and undo read it: the project as it is, against what net.ts noted when the run began. Undo is the same the other way round.
import type { Change } from '../model/change.ts'
import { baseKey } from './base.ts'
import { openBefore } from './before.ts'
import { openBelow } from './below.ts'
import { collectPaths, type Sides } from './collect.ts'
import { inspect } from './inspect.ts'
import type { MemoryEntry } from './memory.ts'
import { riskyFirst, type Review } from './open-review.ts'
import type { BaseEntry, Proposal } from './proposal.ts'
import type { Known } from '../secrets/scan/finding.ts'
import { readRemembered } from './remembered.ts'

export interface LiveReview extends Review {
  /** Changed since the run began, but what they were is not known. */
  readonly lost: readonly string[]
  /** Changed after the run had ended. */
  readonly later: ReadonlySet<string>
  /** What was not remembered, in words. */
  readonly gaps: readonly string[]
}

/**
 * @param options `back`: the changes that would take the run back
 * @returns undefined where the session remembers nothing
 */
export async function openLive(
  sessionFolder: string,
  options: { readonly lines: boolean; readonly back?: boolean; readonly mine?: readonly Known[] },
): Promise<LiveReview | undefined> {
  const remembered = await readRemembered(sessionFolder)
  if (remembered === undefined) return undefined
  const { memory, folder, entries } = remembered
  const known = entries.filter(({ state }) => state !== 'lost')
  const base = new Map(known.map((entry): [string, BaseEntry] => [baseKey(entry), withModeOf(entry)]))
  using opened = new DisposableStack()
  const now = opened.use(openBelow(memory.project))
  const then = openBefore(now, 0, base, folder)
  const sides: Sides = options.back === true ? { before: now, after: then } : { before: then, after: now }
  const sidesOf = (): Sides => sides
  const found = collectPaths(
    known.map(({ path: place }) => place),
    0,
    sides,
  )
  const changes = await inspect(found, sidesOf, { lines: options.lines, folder, mine: options.mine })
  const owned = opened.move()
  return {
    proposal: asProposal(memory.session, memory.project),
    folder,
    changes: riskyFirst(changes),
    withheld: [],
    base: options.back === true ? new Map() : base,
    sidesOf,
    shown: ({ path: place }: Pick<Change, 'root' | 'path'>) => place,
    lost: entries.filter(({ state }) => state === 'lost').map(({ path: place }) => place),
    later: new Set(entries.filter(({ later }) => later).map(({ path: place }) => place)),
    gaps: memory.gaps,
    [Symbol.dispose]: () => owned.dispose(),
  }
}

/** git knows of a mode only whether the file can be executed: where that is the same, the rest is. */
function withModeOf(entry: MemoryEntry): MemoryEntry {
  const { facts, now } = entry
  if (facts?.type !== 'f' || now?.type !== 'f' || (facts.mode & 0o100) !== (now.mode & 0o100)) return entry
  return { ...entry, facts: { ...facts, mode: now.mode } }
}

function asProposal(session: string, project: string): Proposal {
  const roots = [{ path: project, purpose: 'project', upper: project } as const]
  return { version: 1, id: session, project, created: '', kind: 'overlay', state: 'open', roots, runs: [], hidden: [] }
}
