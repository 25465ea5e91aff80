// The cap on what a review writes: free space is looked at twice a second, and what was written is measured only where it may have passed.
import { statfs } from 'node:fs/promises'
import type { Cell } from '../model/engine.ts'
import { reserveOf } from './copy.ts'
import { measureTrees } from './entries.ts'

const interval = 500
/** Of the disk's inodes at least this share stays free. */
const inodeShare = 0.02

export interface DiskInput {
  /** upper and work folders. */
  readonly folders: readonly string[]
  /** Bytes; undefined: only the disk's own reserve counts. */
  readonly limit: number | undefined
  readonly cell: Pick<Cell, 'kill'>
}

/** Ends the cell with the limit `disk` where its changes grow too large or the disk is nearly full. Dispose at the end. */
export function watchDisk({ folders, limit, cell }: DiskInput): Disposable {
  let measured = 0
  let freeThen: number | undefined
  let busy = false
  let over = false
  const look = async () => {
    const disk = await statfs(folders[0] ?? '/')
    const free = disk.bavail * disk.bsize
    const nearlyFull = free < reserveOf(disk) || (disk.files > 0 && disk.ffree < disk.files * inodeShare)
    // What others free meanwhile hides what is written here: measured again as soon as half of what is left may have gone.
    const maybe = limit !== undefined && (freeThen === undefined || Math.abs(freeThen - free) > (limit - measured) / 2)
    if (!maybe && !nearlyFull) return
    measured = (await measureTrees(folders)).bytes
    freeThen = free
    if (over) return
    if ((limit !== undefined && measured > limit) || (nearlyFull && measured > 0)) cell.kill('disk')
  }
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    // Where it can't be measured it can't be kept.
    void look()
      .catch(() => (over ? undefined : cell.kill('disk')))
      .finally(() => (busy = false))
  }, interval)
  return {
    [Symbol.dispose]() {
      over = true
      clearInterval(timer)
    },
  }
}
