// What lstat(2) says, in the words of a proposal's record. Used wherever an entry of a project or of a proposal is looked at.
import type { BigIntStats } from 'node:fs'
import type { NodeFacts, NodeType } from './proposal.ts'

export function factsOf(stat: BigIntStats): NodeFacts {
  return {
    type: typeOf(stat),
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    mtimeNs: String(stat.mtimeNs),
    ctimeNs: String(stat.ctimeNs),
    ino: String(stat.ino),
    dev: String(stat.dev),
    nlink: Number(stat.nlink),
  }
}

function typeOf(stat: BigIntStats): NodeType {
  if (stat.isFile()) return 'f'
  if (stat.isDirectory()) return 'd'
  if (stat.isSymbolicLink()) return 'l'
  if (stat.isFIFO()) return 'p'
  if (stat.isSocket()) return 's'
  return stat.isCharacterDevice() ? 'c' : 'b'
}
