// The original side of a proposal: what the agent started from, as base.ts kept it, and the project itself where nothing was kept.
import { openSync, constants } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { baseKey } from './base.ts'
import type { BaseEntry, NodeFacts } from './proposal.ts'
import type { Tree } from './tree.ts'

/**
 * @param folder what `BaseEntry.content` is relative to
 * @throws Failure `apply/base-gone` where a content is asked for that was neither kept nor stayed
 */
export function openBefore(project: Tree, root: number, base: ReadonlyMap<string, BaseEntry>, folder: string): Tree {
  const noted = (place: string): BaseEntry | undefined => base.get(baseKey({ root, path: place }))
  const children = new Map<string, string[]>()
  for (const entry of base.values()) {
    if (entry.root !== root || entry.state === 'absent' || entry.path === '') continue
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')))
    const names = children.get(parent) ?? []
    names.push(entry.path.slice(entry.path.lastIndexOf('/') + 1))
    children.set(parent, names)
  }
  return {
    facts: (place) => {
      const entry = noted(place)
      if (entry === undefined) return project.facts(place)
      return entry.state === 'absent' ? undefined : entry.facts
    },
    open: (place) => {
      const entry = noted(place)
      if (entry?.content !== undefined) return openSync(path.join(folder, entry.content), constants.O_RDONLY | constants.O_NOFOLLOW)
      if (entry !== undefined && !stayed(entry.facts, project.facts(place))) throw new Failure('apply/base-gone', { path: place })
      return project.open(place)
    },
    // Of a folder that was noted, everything in it was.
    list: (place) => (noted(place)?.facts?.type === 'd' && place !== '' ? (children.get(place) ?? []) : project.list(place)),
  }
}

/** Whether the file is the very one that was noted, unwritten since. */
function stayed(then: NodeFacts | undefined, now: NodeFacts | undefined): boolean {
  return then !== undefined && now !== undefined && then.ino === now.ino && then.ctimeNs === now.ctimeNs && then.size === now.size
}
