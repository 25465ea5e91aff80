// What a proposal's folders hold, entry by entry: an overlay's upper layer as it lies there, a copy compared with what was copied.
// To be read once the cell is gone (lock.ts). Neighbours: base.ts has what was there before.
import { readFile } from 'node:fs/promises'
import { readTree, type TreeEntry } from './entries.ts'
import { proposalPlaces } from './folders.ts'
import type { NodeFacts, Proposal, UpperEntry } from './proposal.ts'

/** A copied path as it was in the project, and which file of the copy it became. */
export interface ManifestLine {
  readonly root: number
  readonly path: string
  readonly facts: NodeFacts
  /** Of the copy, right after copying: another inode or ctime is a change. */
  readonly copy: { readonly ino: string; readonly ctimeNs: string }
}

/**
 * Every entry of every root; parents before what lies in them, in the order of their names' bytes. The root's own entry comes first.
 * @param folder `sessions/ID/proposal`
 * @throws Failure `review/unreadable`
 */
export async function readUpper(proposal: Proposal, folder: string): Promise<readonly UpperEntry[]> {
  const trees = await Promise.all(proposal.roots.map(({ upper, path }) => readTree(upper, path)))
  const manifest = proposal.kind === 'copy' ? await readManifest(folder) : []
  return trees.flatMap((tree, root) => {
    const entries = proposal.kind === 'overlay' ? tree.map((entry) => asUpper(entry, root)) : compare(tree, root, manifest)
    return entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  })
}

function asUpper({ path, facts, whiteout, opaque, bytes, attributes }: TreeEntry, root: number): UpperEntry {
  return { root, path, kind: whiteout ? 'whiteout' : 'node', opaque, facts, bytes, attributes }
}

/** A folder that is not the copied one is opaque: all in it is new. */
function compare(tree: readonly TreeEntry[], root: number, manifest: readonly ManifestLine[]): readonly UpperEntry[] {
  const copied = new Map(manifest.filter((line) => line.root === root).map((line) => [line.path, line]))
  const seen = new Set<string>()
  const entries: UpperEntry[] = []
  for (const entry of tree) {
    const before = copied.get(entry.path)
    const sameNode = before !== undefined && before.copy.ino === entry.facts.ino && before.facts.type === entry.facts.type
    if (before !== undefined) seen.add(entry.path)
    // A folder's ctime changes with each entry; what counts of it is its mode.
    const folder = entry.facts.type === 'd'
    const same = sameNode && (folder ? before.facts.mode === entry.facts.mode : before.copy.ctimeNs === entry.facts.ctimeNs)
    if (!same) entries.push({ ...asUpper(entry, root), opaque: folder && before !== undefined && !sameNode })
  }
  const gone = [...copied.values()].filter(({ path }) => path !== '' && !seen.has(path))
  const goneFolders = new Set(gone.filter(({ facts }) => facts.type === 'd').map(({ path }) => path))
  for (const { path, facts } of gone)
    // Looks as a whiteout does.
    if (!liesIn(path, goneFolders))
      entries.push({
        root,
        path,
        kind: 'whiteout',
        opaque: false,
        facts: { ...facts, type: 'c', mode: 0, size: 0 },
        bytes: 0,
        attributes: [],
      })
  return entries
}

function liesIn(path: string, folders: ReadonlySet<string>): boolean {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) if (folders.has(path.slice(0, at))) return true
  return false
}

async function readManifest(folder: string): Promise<readonly ManifestLine[]> {
  const text = await readFile(proposalPlaces(folder).manifest, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ManifestLine)
}
