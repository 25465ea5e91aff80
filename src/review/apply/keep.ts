// Before a named path is taken back: what the user made of it since is kept with the session, and is what is expected there. Used by apply.ts;
// neighbour: stage.ts, which keeps what an apply replaces.
import * as fs from 'node:fs'
import path from 'node:path'
import { openBelow } from '../below.ts'
import { blocksOf, sideOf, type Tree } from '../tree.ts'
import { syncFolder, type ApplyRecord, type State } from './record.ts'
import { isState } from './place.ts'

/** Where the user's own content of an operation lies, relative to the apply's folder. */
export function yoursOf(number: number): string {
  return path.join('old', `yours-${number}`)
}

/** @param only the operations that are meant */
export function keepNow(record: ApplyRecord, folder: string, only: (path: string, root: number) => boolean): ApplyRecord {
  using opened = new DisposableStack()
  const projects = record.roots.map((root) => opened.use(openBelow(root)))
  const last = new Map(record.operations.map(({ root, path: place, number }) => [`${root} ${place}`, number]))
  const operations = record.operations.map((operation) => {
    const { root, path: place, number, before, after } = operation
    const project = projects[root]
    if (project === undefined || !only(place, root) || last.get(`${root} ${place}`) !== number) return operation
    if (isState(project, place, after) || isState(project, place, before)) return operation
    const now = keep(project, place, folder, yoursOf(number))
    return now === undefined ? operation : { ...operation, after: now }
  })
  syncFolder(path.join(folder, 'old'))
  return { ...record, operations }
}

/** Undefined for what is no file, no link and not nothing: it stays. */
function keep(project: Tree, place: string, folder: string, content: string): State | undefined {
  const side = sideOf(project, place)
  if (side === undefined) return { kind: 'absent' }
  if (side.kind === 'link') return { kind: 'link', target: side.target }
  if (side.kind !== 'file') return undefined
  const fd = fs.openSync(path.join(folder, content), 'w', 0o600)
  try {
    for (const block of blocksOf(project, place)) for (let at = 0; at < block.length;) at += fs.writeSync(fd, block, at)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  // Where it was saved meanwhile, its hash is another than the one that is looked for, and it stays.
  return { kind: 'file', mode: side.mode & 0o7777, hash: side.hash, content }
}
