// Paths below one folder, opened part by part and never through a link: what openat(2) is for. Node has no openat, but the kernel resolves
// /proc/self/fd/N/NAME from the open folder N. Used for the proposal's tree and for the project alike; apply/ writes through it.
import * as fs from 'node:fs'
import { bytesOf, pathOf } from '../workspace/path-bytes.ts'
import { factsOf } from './facts.ts'
import type { Tree } from './tree.ts'

/** open(2): a descriptor that only stands for the place. Node doesn't name it. */
export const O_PATH = 0o10000000
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** A part on the way is a link or no folder, or the path itself is none of ours. */
export class NotBelow extends Error {
  readonly path: string
  constructor(path: string, reason: string) {
    super(reason)
    this.name = 'NotBelow'
    this.path = path
  }
}

export interface Below extends Tree, Disposable {
  readonly root: string
  /** Where the entry lies, as a path that the kernel resolves from its opened folder; good until the next call. @throws NotBelow, ENOENT */
  at(path: string): Buffer
  /** Forgets which folders are open: the next call looks at the path anew. */
  forget(): void
}

interface Opened {
  readonly path: string
  /** Number of parts. */
  readonly depth: number
  readonly fd: number
}
/** Descriptors of one tree; beyond that, fewer of the folders on the way stay open. */
const mostOpen = 64

/** @param asOwner opens what the owner took their own rights from, and leaves the modes as they are */
export function openBelow(root: string, options: { readonly asOwner?: boolean } = {}): Below {
  const top = fs.openSync(root, O_PATH | O_DIRECTORY)
  /** Opened on the way to the last folder, and that itself: what lies near needs few steps, however deep it is. */
  let open: readonly Opened[] = []
  let stride = 16

  /** What `act` needs the entry's rights for, which its owner may have been left without: they come back for that moment only. */
  const lifted = <T>(fd: number, act: () => T): T => {
    try {
      return act()
    } catch (error) {
      if (codeOf(error) !== 'EACCES' || options.asOwner !== true) throw error
      const stat = fs.fstatSync(fd)
      const wanted = stat.mode | (stat.isDirectory() ? 0o700 : 0o600)
      if (stat.isSymbolicLink() || wanted === stat.mode || stat.uid !== process.geteuid?.()) throw error
      const self = `/proc/self/fd/${fd}`
      fs.chmodSync(self, wanted & 0o7777)
      try {
        return act()
      } finally {
        fs.chmodSync(self, stat.mode & 0o7777)
      }
    }
  }
  const step = (path: string, from: number, name: string): number => {
    try {
      return lifted(from, () => fs.openSync(inside(from, name), O_PATH | O_DIRECTORY | O_NOFOLLOW))
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ELOOP') throw new NotBelow(path, 'a folder on the way is a link or a file')
      throw error
    }
  }
  const forget = (): void => {
    for (const { fd } of open) fs.closeSync(fd)
    open = []
  }
  /** Keeps what is true of each, closes the rest. */
  const thin = (keep: (each: Opened, index: number) => boolean): void => {
    const kept = open.filter(keep)
    for (const each of open) if (!kept.includes(each)) fs.closeSync(each.fd)
    open = kept
  }
  /** The opened folder that the entry lies in. */
  const folder = (path: string): { readonly fd: number; readonly name: string } => {
    const parts = partsOf(path)
    const name = parts.pop() ?? ''
    const parent = parts.join('/')
    if (parent === '') return { fd: top, name }
    if (open.at(-1)?.path !== parent) {
      thin((each) => parent === each.path || parent.startsWith(`${each.path}/`))
      for (let depth = (open.at(-1)?.depth ?? 0) + 1; depth <= parts.length; depth += 1) {
        const last = open.at(-1)
        const fd = step(path, last?.fd ?? top, parts[depth - 1] ?? '')
        if (last !== undefined && last.depth % stride !== 0) {
          fs.closeSync(last.fd)
          open = open.slice(0, -1)
        }
        open = [...open, { path: last === undefined ? (parts[0] ?? '') : `${last.path}/${parts[depth - 1] ?? ''}`, depth, fd }]
      }
      if (open.length > mostOpen) {
        stride *= 2
        thin(({ depth }, index) => depth % stride === 0 || index === open.length - 1)
      }
    }
    return { fd: open.at(-1)?.fd ?? top, name }
  }
  /** A descriptor of the entry itself, for the time of `act`. */
  const held = <T>(path: string, act: (self: string, fd: number) => T): T => {
    const { fd, name } = folder(path)
    const entry = lifted(fd, () => fs.openSync(inside(fd, name), O_PATH | O_NOFOLLOW))
    try {
      return lifted(entry, () => act(`/proc/self/fd/${entry}`, entry))
    } finally {
      fs.closeSync(entry)
    }
  }
  return {
    root,
    at: (path) => {
      const { fd, name } = folder(path)
      return inside(fd, name)
    },
    facts: (path) => {
      try {
        const { fd, name } = path === '' ? { fd: top, name: '.' } : folder(path)
        const stat = lifted(fd, () => fs.lstatSync(inside(fd, name), { bigint: true }))
        if (!stat.isSymbolicLink()) return factsOf(stat)
        return { ...factsOf(stat), target: pathOf(fs.readlinkSync(inside(fd, name), { encoding: 'buffer' })) }
      } catch (error) {
        if (error instanceof NotBelow || codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
        throw error
      }
    },
    open: (path) =>
      held(path, (self, entry) => {
        if (!fs.fstatSync(entry).isFile()) throw new NotBelow(path, 'it is no file')
        return fs.openSync(self, O_RDONLY | O_NONBLOCK)
      }),
    list: (path) => {
      const read = (self: string): readonly string[] => fs.readdirSync(self, { encoding: 'buffer' }).map(pathOf)
      if (path === '') return lifted(top, () => read(`/proc/self/fd/${top}/.`))
      return held(path, (self, entry) => {
        if (!fs.fstatSync(entry).isDirectory()) throw new NotBelow(path, 'it is no folder')
        return read(`${self}/.`)
      })
    },
    forget,
    [Symbol.dispose]() {
      forget()
      fs.closeSync(top)
    },
  }
}

function inside(fd: number, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), bytesOf(name)])
}

/** @throws NotBelow for anything that is no plain relative path */
export function partsOf(path: string): string[] {
  const parts = path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0'))
    throw new NotBelow(path, 'it is no path inside the project')
  return parts
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
