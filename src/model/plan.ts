// The plan: the policy made concrete for one run. Pure data; made by plan/, translated by an engine, printed by --dry-run.
import type { Image } from './image.ts'
import type { EngineName, Limits, PermissionMode, WorkspaceMode } from './policy.ts'

/** One thing the cell's file system is made of, applied in order; later ones lie on top. All paths absolute. */
export type Mount =
  | { readonly kind: 'bind'; readonly from: string; readonly to: string; readonly mode: 'ro' | 'rw' }
  /** `lower` shown copy-on-write: what is written goes to `upper`. `work` and `place` are empty folders for the engine's own use. */
  | {
      readonly kind: 'overlay'
      readonly lower: string
      readonly upper: string
      readonly work: string
      readonly place: string
      readonly to: string
    }
  | { readonly kind: 'tmpfs'; readonly to: string; readonly bytes: number; readonly mode: number }
  | { readonly kind: 'file'; readonly to: string; readonly content: string }
  | { readonly kind: 'dir'; readonly to: string; readonly mode?: number }
  | { readonly kind: 'symlink'; readonly target: string; readonly to: string }

/** What lies over one existing path of a writable root, so that the cell can't write or can't read it. */
export type Cover =
  | { readonly kind: 'readonly'; readonly path: string }
  /** An empty file or folder, read-only. */
  | { readonly kind: 'empty'; readonly path: string; readonly what: 'file' | 'directory' }
  /** A symbolic link to `target` lies over a file (the git-config view): rename over it reaches the target's folder. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

export interface Listener {
  readonly kind: 'tcp' | 'udp'
  /** '::' is dual stack. */
  readonly address: string
  readonly port: number
  /** What the gateway does with it. */
  readonly role: 'dns' | 'transparent' | 'http-proxy' | 'socks-proxy'
}

export interface Plan {
  readonly session: string
  readonly engine: EngineName
  readonly agent: string
  /** What runs inside; argv[0] is looked up in the cell's PATH. */
  readonly argv: readonly string[]
  readonly cwd: string
  /** What the system folders come from, where they are not this machine's. */
  readonly image?: Image
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>
  readonly identity: {
    readonly uid: number
    readonly gid: number
    readonly user: string
    readonly home: string
    readonly hostname: string
  }
  readonly mounts: readonly Mount[]
  /** Writable roots of the host (project, rw mounts), canonical; covers and watches concern these. */
  readonly roots: readonly string[]
  readonly covers: readonly Cover[]
  readonly listeners: readonly Listener[]
  readonly limits: Limits
  readonly workspace: WorkspaceMode
  readonly permissions: PermissionMode
  /** 'inherit': the user's terminal is the cell's; 'none': a session of its own without controlling terminal. */
  readonly terminal: 'inherit' | 'none'
  /** Checks done inside the cell right before the command starts; any failure ends the run with 125. */
  readonly preflight: readonly Preflight[]
}

/** One self-test inside the new cell (attacks.md CFG-26). */
export type Preflight =
  /** Opening this host path must fail. */
  | { readonly kind: 'unreadable'; readonly path: string }
  /** Creating a file in this folder must fail. */
  | { readonly kind: 'unwritable'; readonly path: string }
  /** This path must be a view: not the host's own folder, whose device and inode `identity` tells (`dev:ino`). */
  | { readonly kind: 'apart'; readonly path: string; readonly identity: string }
  /** Positive control: this path must be readable. */
  | { readonly kind: 'readable'; readonly path: string }
  /** TCP connect must fail. */
  | { readonly kind: 'unreachable'; readonly address: string; readonly port: number }
  /** Connecting to this abstract Unix socket name must fail. */
  | { readonly kind: 'no-abstract-socket'; readonly name: string }
  /** No capability in any set, no-new-privileges, seccomp mode 2, no user namespace, only own processes. */
  | { readonly kind: 'unprivileged' }
  /** Positive control: the gateway's resolver answers. */
  | { readonly kind: 'resolver'; readonly address: string }
