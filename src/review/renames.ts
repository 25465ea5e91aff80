// Pairs what disappeared with what appeared: first by equal content, then by lines in common, both bounded. Used by collect.ts.
import type { Change } from '../model/change.ts'
import { contentOf, isBinary, unknownHash, type Tree } from './tree.ts'

type Found = Omit<Change, 'risks' | 'binary' | 'lines'>

/** Above this share of common lines a deleted and a new file are one that moved (git's own measure is 50 %). */
const enough = 0.5
const largest = 512 * 1024
const mostEach = 100

export function findRenames(changes: readonly Found[], sides: { readonly before: Tree; readonly after: Tree }): readonly Found[] {
  const gone = changes.filter((change) => change.action === 'deleted' && change.git === undefined && movable(change.before))
  const come = changes.filter(
    (change) => change.action === 'added' && change.git === undefined && change.linkedTo === undefined && movable(change.after),
  )
  const from = new Map<string, Found>()
  const taken = new Set<string>()
  const pair = (old: Found, fresh: Found): void => {
    from.set(fresh.path, old)
    taken.add(old.path)
  }
  const byHash = Map.groupBy(gone, (change) => keyOf(change.before))
  for (const fresh of come) {
    const same = (byHash.get(keyOf(fresh.after)) ?? []).filter(({ path }) => !taken.has(path))
    const old = same.find(({ path }) => nameOf(path) === nameOf(fresh.path)) ?? same[0]
    if (old !== undefined) pair(old, fresh)
  }
  const restGone = gone.filter((change) => !taken.has(change.path) && comparable(change.before))
  const restCome = come.filter((change) => !from.has(change.path) && comparable(change.after))
  if (restGone.length <= mostEach && restCome.length <= mostEach && restGone.length > 0) {
    const old = restGone.map((change) => ({ change, lines: linesOf(sides.before, change.path, change.before) }))
    const pairs = restCome.flatMap((fresh) => {
      const lines = linesOf(sides.after, fresh.path, fresh.after)
      return old.map((each) => ({ old: each.change, fresh, score: similarity(each.lines, lines) })).filter(({ score }) => score >= enough)
    })
    for (const { old: each, fresh } of pairs.toSorted((a, b) => b.score - a.score))
      if (!taken.has(each.path) && !from.has(fresh.path)) pair(each, fresh)
  }
  return changes.flatMap((change) => {
    if (taken.has(change.path)) return []
    const old = from.get(change.path)
    return old?.before === undefined ? [change] : [{ ...change, action: 'renamed' as const, from: old.path, before: old.before }]
  })
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** An empty file says nothing about where it was. */
function movable(side: Change['before']): boolean {
  return (side?.kind === 'file' && side.size > 0 && side.hash !== unknownHash) || side?.kind === 'link'
}

function comparable(side: Change['before']): boolean {
  return side?.kind === 'file' && side.size <= largest
}

function keyOf(side: Change['before']): string {
  return side?.kind === 'file' || side?.kind === 'link' ? `${side.kind} ${side.hash}` : ''
}

interface Lines {
  readonly counts: ReadonlyMap<string, number>
  readonly bytes: number
  readonly binary: boolean
}

function linesOf(tree: Tree, path: string, side: Change['before']): Lines {
  const content = contentOf(tree, path, side)
  const counts = new Map<string, number>()
  if (isBinary(content)) return { counts, bytes: content.length, binary: true }
  for (const line of content.toString('latin1').split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1)
  return { counts, bytes: content.length, binary: false }
}

function similarity(a: Lines, b: Lines): number {
  const smaller = Math.min(a.bytes, b.bytes)
  const larger = Math.max(a.bytes, b.bytes)
  if (a.binary || b.binary || smaller < larger * enough) return 0
  let common = 0
  for (const [line, count] of a.counts) common += Math.min(count, b.counts.get(line) ?? 0) * (line.length + 1)
  return common / (larger + 1)
}
