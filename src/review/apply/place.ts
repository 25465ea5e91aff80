// One place in a project: what lies there, and putting something else there, in one rename, never through a link and never over what was not
// looked at. Used by perform.ts. Every temporary file lies beside its target under a name that says whose it is.
import * as fs from 'node:fs'
import { createHash } from 'node:crypto'
import path from 'node:path'
import { bytesOf, pathOf } from '../../workspace/path-bytes.ts'
import { carryAttributes } from '../entries.ts'
import { codeOf, O_PATH, type Below } from '../below.ts'
import { sideOf } from '../tree.ts'
import { syncFolder, type State } from './record.ts'

export interface Put {
  readonly below: Below
  readonly path: string
  readonly expected: State
  readonly target: State
  /** Where `State.content` lies. */
  readonly folder: string
  /** Unique to this operation: the name of its temporary file. */
  readonly mark: string
  /** On disk when it returns; else its caller sees to that. */
  readonly durable: boolean
  /** Gives the file another name instead of a copy, where that other name is as it should be. */
  readonly linkFrom?: () => Buffer | undefined
}

/** Whether what lies there is this. Special files are never anything that was asked for. */
export function isState(below: Below, place: string, state: State): boolean {
  below.forget()
  const side = sideOf(below, place)
  if (side === undefined || state.kind === 'absent') return side === undefined && state.kind === 'absent'
  if (side.kind === 'file' && state.kind === 'file') return side.hash === state.hash && side.mode === state.mode
  if (side.kind === 'link' && state.kind === 'link') return side.target === state.target
  return side.kind === 'folder' && state.kind === 'folder' && side.mode === state.mode
}

/**
 * One atomic step; whoever is killed in it leaves what was expected or what is the target, and perhaps the temporary file.
 * A folder and something else never replace each other in one step: stage.ts makes two of it.
 * @returns `left`: something else came there meanwhile, or a folder has something in it, and it stays
 */
export function put(order: Put): 'done' | 'left' {
  const { below, path: place, expected, target } = order
  below.forget()
  const own = below.at(place)
  const temporary = beside(own, order.mark)
  clear(temporary)
  if (target.kind === 'folder') return putFolder(order, own, temporary, target.mode)
  if (target.kind === 'absent')
    return expected.kind === 'folder' ? removeFolder(order, own) : takeAway(order, own, beside(own, order.mark + taken))
  if (expected.kind === 'file' && target.kind === 'file' && expected.hash === target.hash && fs.lstatSync(own).nlink === 1) {
    chmodHere(own, target.mode)
    return settle(order, own)
  }
  make(order, target, temporary, own)
  if (expected.kind === 'absent') {
    try {
      fs.linkSync(temporary, own) // fails where something lies there, which a rename would not
    } catch (error) {
      clear(temporary)
      if (codeOf(error) === 'EEXIST') return 'left'
      throw error
    }
    clear(temporary)
    return settle(order, own)
  }
  // The last look and the rename are one after the other; what was looked at is what is replaced.
  if (!isStateAt(order)) {
    clear(temporary)
    return 'left'
  }
  fs.renameSync(temporary, own)
  clear(temporary) // two names of one file: rename(2) leaves both
  return settle(order, own)
}

/** What a killed try left beside its target: what it was making goes, what it had taken away comes back where it was not the thing to be taken. */
export function tidy({ below, path: place, expected, target, mark }: Pick<Put, 'below' | 'path' | 'expected' | 'target' | 'mark'>): void {
  below.forget()
  const own = below.at(place)
  clear(beside(own, mark))
  const aside = beside(own, mark + taken)
  if (fs.lstatSync(aside, { throwIfNoEntry: false }) === undefined) return
  const name = place.slice(0, place.lastIndexOf('/') + 1) + mark + taken
  if (!isState(below, name, expected) && !isState(below, name, target)) {
    try {
      fs.linkSync(aside, own)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      return // both stay
    }
  }
  clear(aside)
}

/** Behind the mark: what was there, on its way out. */
const taken = '-old'

function clear(temporary: Buffer): void {
  const there = fs.lstatSync(temporary, { throwIfNoEntry: false })
  if (there?.isDirectory() === true) fs.rmdirSync(temporary)
  else if (there !== undefined) fs.unlinkSync(temporary)
}

function isStateAt({ below, path: place, expected }: Put): boolean {
  const side = sideOf(below, place)
  if (expected.kind === 'file') return side?.kind === 'file' && side.hash === expected.hash
  return expected.kind === 'link' && side?.kind === 'link' && side.target === expected.target
}

function putFolder(order: Put, own: Buffer, temporary: Buffer, mode: number): 'done' | 'left' {
  if (order.expected.kind === 'folder') {
    chmodHere(own, mode)
    return settle(order, own)
  }
  fs.mkdirSync(temporary, 0o700)
  giveOwner(temporary, undefined)
  chmodHere(temporary, mode)
  try {
    fs.renameSync(temporary, own) // takes the place of nothing, or of an empty folder
  } catch (error) {
    clear(temporary)
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '')) return 'left'
    throw error
  }
  return settle(order, own)
}

function removeFolder(order: Put, own: Buffer): 'done' | 'left' {
  try {
    fs.rmdirSync(own)
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return 'left'
    throw error
  }
  return settle(order, own)
}

/** Renamed first and looked at again: what was saved in that moment comes back. */
function takeAway(order: Put, own: Buffer, temporary: Buffer): 'done' | 'left' {
  if (!isStateAt(order)) return 'left'
  const before = fs.lstatSync(own, { bigint: true })
  fs.renameSync(own, temporary)
  const after = fs.lstatSync(temporary, { bigint: true })
  if (before.ino !== after.ino || before.mtimeNs !== after.mtimeNs || before.size !== after.size) {
    tidy(order)
    return 'left'
  }
  fs.unlinkSync(temporary)
  return settle(order, own)
}

function make(order: Put, target: Exclude<State, { kind: 'absent' | 'folder' }>, temporary: Buffer, own: Buffer): void {
  if (target.kind === 'link') return fs.symlinkSync(bytesOf(target.target), temporary)
  const other = order.linkFrom?.()
  if (other !== undefined) return fs.linkSync(other, temporary)
  const old = fs.lstatSync(own, { throwIfNoEntry: false })
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY } = fs.constants
  const from = fs.openSync(path.join(order.folder, target.content), O_RDONLY | O_NOFOLLOW)
  try {
    const to = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    try {
      const hash = createHash('sha256')
      const block = Buffer.allocUnsafe(256 * 1024)
      for (let size = fs.readSync(from, block); size > 0; size = fs.readSync(from, block)) {
        hash.update(block.subarray(0, size))
        for (let at = 0; at < size;) at += fs.writeSync(to, block, at, size - at)
      }
      if (hash.digest('hex') !== target.hash) throw new Error('the kept content is not what was shown')
      giveOwner(temporary, old)
      if (target.attributes === true) giveAttributes(order.folder, target.content, temporary)
      fs.fchmodSync(to, target.mode)
      if (order.durable) fs.fsyncSync(to)
    } finally {
      fs.closeSync(to)
    }
  } finally {
    fs.closeSync(from)
  }
}

/** As root: what replaces keeps the owner, what is new belongs to whom its folder belongs. Others own what they make. */
function giveOwner(file: Buffer, old: fs.Stats | undefined): void {
  if (process.geteuid?.() !== 0) return
  const owner = old ?? fs.statSync(parentOf(file))
  fs.lchownSync(file, owner.uid, owner.gid)
}

/** Before its mode: setting an access list changes that. */
function giveAttributes(folder: string, content: string, file: Buffer): void {
  const to = pathOf(file).replace('/proc/self/', `/proc/${process.pid}/`) // it is another process that sets them
  if (carryAttributes([{ folder, path: content, to }])[0] === undefined)
    throw new Error('its access list or extended attributes could not be kept')
}

/** chmod(2) follows links; a descriptor of the entry itself has none to follow. */
function chmodHere(own: Buffer, mode: number): void {
  const fd = fs.openSync(own, O_PATH | fs.constants.O_NOFOLLOW)
  try {
    fs.chmodSync(`/proc/self/fd/${fd}`, mode)
  } finally {
    fs.closeSync(fd)
  }
}

function settle({ durable }: Put, own: Buffer): 'done' {
  if (durable) syncFolder(parentOf(own))
  return 'done'
}

/** `/proc/self/fd/N/NAME`: the opened folder. */
function parentOf(own: Buffer): Buffer {
  return Buffer.concat([own.subarray(0, own.lastIndexOf(0x2f)), Buffer.from('/.')])
}

function beside(own: Buffer, mark: string): Buffer {
  return Buffer.concat([own.subarray(0, own.lastIndexOf(0x2f) + 1), Buffer.from(mark)])
}
