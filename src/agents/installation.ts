// Where an agent's program is and what of the host the cell needs to run it. Filled by locate.ts and own-copy.ts.
import type { Mount } from '../model/plan.ts'

/** A Linux that an agent is wanted for, where it is not this machine: an image. */
export interface Platform {
  readonly arch: 'x64' | 'arm64'
  readonly libc: 'glibc' | 'musl'
}

/** `linux-x64`, `linux-arm64-musl`: how platform packages are named. */
export function platformName({ arch, libc }: Platform): string {
  return `linux-${arch}${libc === 'musl' ? '-musl' : ''}`
}

export interface Installation {
  /** How it came here, in words: "npm", "native installer", "anchorhold's copy". */
  readonly how: string
  /** The real path of the program (no link on the way). */
  readonly path: string
  readonly version: string
  /** argv that starts it, absolute, the same inside and outside. */
  readonly argv: readonly string[]
  /** Exactly what the cell needs of the host for it, read-only, at its own path. */
  readonly mounts: readonly Mount[]
}
