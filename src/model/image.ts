// What a cell's image is made from, and what comes of it. The policy chooses, images/ builds, engines that start from an image use it.
import type { Origin } from './policy.ts'

/** What the agent's layer is put on. */
export type ImageSource =
  /** The Dockerfile that anchorhold ships, on its own base or on one that is named. */
  | { readonly kind: 'shipped'; readonly base?: string }
  /** An image that is there or can be pulled, as it is. */
  | { readonly kind: 'name'; readonly name: string }
  /** A Dockerfile. Without a context, it has no files besides itself. */
  | { readonly kind: 'dockerfile'; readonly file: string; readonly context?: string }
  | { readonly kind: 'devcontainer'; readonly file: string }

/** `image` of a policy. */
export interface ImageRule {
  readonly source: ImageSource
  /** Whether what a Dockerfile runs while it is built has the engine's network; the shipped one has it. */
  readonly network: boolean
  /** Version of the agent; absent: the one that this anchorhold was tested with. */
  readonly version?: string
  readonly origin: Origin
}

/** An image as a run uses it. */
export interface Image {
  /** How people name it: `localhost/anchorhold/claude:0123456789ab`. */
  readonly reference: string
  /** `sha256:…`, which never means another one. */
  readonly id: string
}

/** The command line of a container engine: docker and podman build, inspect and remove images with the same words. */
export interface ContainerProgram {
  readonly name: 'docker' | 'podman'
  readonly argv: readonly [string, ...string[]]
  /** The whole environment that it is started with. */
  readonly env: Readonly<Record<string, string>>
}
