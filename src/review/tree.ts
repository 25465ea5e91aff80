// One side of a comparison: entries by path, read without following a link. A proposal has two: what was there, and what the agent left.
import * as fs from 'node:fs'
import { createHash } from 'node:crypto'
import type { Side } from '../model/change.ts'
import { bytesOf } from '../workspace/path-bytes.ts'
import { Failure } from '../errors/failure.ts'
import { codeOf } from './below.ts'
import type { NodeFacts, NodeType } from './proposal.ts'

export interface Tree {
  /** Of the entry itself, never of a link's target; undefined where there is none. */
  facts(path: string): NodeFacts | undefined
  /** A regular file for reading: a descriptor of the caller's. @throws NotBelow where it is something else */
  open(path: string): number
  /** Names in a folder. */
  list(path: string): readonly string[]
}

/** What can't be shown or compared by lines: a file above this size is told by its hash alone. */
export const textLimit: number = 8 * 2 ** 20

const shapes: Readonly<Record<NodeType, Side['kind']>> = {
  f: 'file',
  d: 'folder',
  l: 'link',
  p: 'fifo',
  s: 'socket',
  c: 'device',
  b: 'device',
}

/** The entry with its hash; undefined where there is none. Reads the whole file. */
export function sideOf(tree: Tree, path: string): Side | undefined {
  const facts = tree.facts(path)
  if (facts === undefined) return undefined
  const kind = shapes[facts.type]
  if (kind === 'file') return { kind, mode: facts.mode, ...hashFile(tree, path, facts.size) }
  if (kind !== 'link') return { kind, mode: facts.mode }
  const target = facts.target ?? ''
  return { kind, target, hash: createHash('sha256').update(bytesOf(target)).digest('hex') }
}

/** The hash of content that nobody has any more, or that nobody reads: equal to nothing. */
export const unknownHash = ''

/** A file costs its writer nothing for its holes, but whoever reads it as much as if they were full: terabytes, if it says so. */
const mostHoles = 2 ** 30

interface Hashed {
  readonly size: number
  readonly hash: string
  readonly sparse?: true
}

function hashFile(tree: Tree, path: string, listed: number): Hashed {
  try {
    return hashOf(tree, path)
  } catch (error) {
    if (error instanceof Failure && error.code === 'apply/base-gone') return { size: listed, hash: unknownHash }
    throw error
  }
}

function hashOf(tree: Tree, path: string): Hashed {
  const hash = createHash('sha256')
  let size = 0
  const fd = tree.open(path)
  try {
    const stat = fs.fstatSync(fd)
    if (stat.size - stat.blocks * 512 > mostHoles) return { size: stat.size, hash: unknownHash, sparse: true }
    for (const block of blocksIn(fd, stat.size)) {
      hash.update(block)
      size += block.length
    }
  } finally {
    fs.closeSync(fd)
  }
  return { size, hash: hash.digest('hex') }
}

/** A file's bytes, block by block; each block is good until the next. */
export function* blocksOf(tree: Pick<Tree, 'open'>, path: string): Generator<Buffer> {
  const fd = tree.open(path)
  try {
    yield* blocksIn(fd, fs.fstatSync(fd).size)
  } finally {
    fs.closeSync(fd)
  }
}

function* blocksIn(fd: number, listed: number): Generator<Buffer> {
  const block = Buffer.allocUnsafe(Math.min(256 * 1024, listed + 1))
  for (let size = fs.readSync(fd, block); size > 0; size = fs.readSync(fd, block)) yield block.subarray(0, size)
}

/** The whole content: of a file, or of a link its target; empty for what has none. `limit` bytes at most. */
export function contentOf(tree: Tree, path: string, side: Side | undefined, limit: number = Infinity): Buffer {
  if (side?.kind === 'link') return bytesOf(side.target)
  if (side?.kind !== 'file' || side.hash === unknownHash) return Buffer.alloc(0)
  const blocks: Buffer[] = []
  let size = 0
  for (const block of blocksOf(tree, path)) {
    blocks.push(Buffer.from(block))
    size += block.length
    if (size >= limit) break
  }
  const whole = Buffer.concat(blocks)
  return whole.length > limit ? whole.subarray(0, limit) : whole
}

/** Whether two sides are the same thing to who applies them. */
export function sameSide(a: Side | undefined, b: Side | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.kind === 'file' && b.kind === 'file') return a.hash !== unknownHash && a.hash === b.hash && a.mode === b.mode
  if (a.kind === 'link' && b.kind === 'link') return a.hash === b.hash
  return a.kind === b.kind && 'mode' in a && 'mode' in b && a.mode === b.mode
}

/** As git judges it: a NUL in the first 8,000 bytes. */
export function isBinary(content: Buffer): boolean {
  return content.subarray(0, 8000).includes(0)
}

/** Every path below a folder, folders before their content; links are not followed. */
export function* below(tree: Tree, folder: string): Generator<string> {
  const waiting = [folder]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const name of listOrNone(tree, next).toSorted().toReversed()) {
      const inner = next === '' ? name : `${next}/${name}`
      yield inner
      if (tree.facts(inner)?.type === 'd') waiting.push(inner)
    }
  }
}

function listOrNone(tree: Tree, folder: string): readonly string[] {
  try {
    return tree.list(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
