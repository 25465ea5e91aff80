// Where an agent's program is and what of the host the cell needs to run it. Filled by locate.ts and own-copy.ts.
import type { Mount } from '../model/plan.ts'

/** An agent that is distributed as an npm package with a native program per platform. */
export interface Distribution {
  /** Name of the program: `claude`. */
  readonly program: string
  /** `@anthropic-ai/claude-code`; its platform packages are `NAME-linux-x64` and so on. */
  readonly package: string
  /** The version that `anchorhold agents install` takes without `--version`. */
  readonly pinned: string
  /** Older ones are not run, and why. */
  readonly floor: { readonly version: string; readonly why: string }
  /** Where installers of its own put it, relative to the user's home, newest kind first. */
  readonly homePrograms: readonly string[]
  /** Program of the platform package, relative to it. */
  readonly platformProgram: string
  /** Of the pinned version's platform packages: npm's `integrity`, by `linux-x64`, `linux-arm64-musl` and so on. */
  readonly integrity: Readonly<Record<string, string>>
}

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
