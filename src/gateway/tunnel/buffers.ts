// Gateway, tunnel: read buffers that go from a closed connection to the next one, so that many short ones cost no memory. Used by lane.ts.

/** Quiet tunnels read into a small buffer; one that fills it moves up a level, and back down once it is quiet again. */
export const sizes = [16_384, 65_536, 262_144] as const
const kept = [128, 16, 8] as const
export const topLevel: number = sizes.length - 1

export interface Buffers {
  take(level: number): Buffer
  /** Only a buffer that nothing reads into or writes from any more. */
  give(buffer: Buffer): void
}

/** One per session, so that no byte of one cell lies in a buffer of another. */
export function makeBuffers(): Buffers {
  const free: Buffer[][] = sizes.map(() => [])
  return {
    take: (level) => free[level]?.pop() ?? Buffer.allocUnsafeSlow(sizes[level] ?? sizes[0]),
    give(buffer) {
      const level = sizes.findIndex((size) => size === buffer.length)
      const list = free[level]
      if (list !== undefined && list.length < (kept[level] ?? 0)) list.push(buffer)
    },
  }
}
