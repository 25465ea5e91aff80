// What one run can be told: the options of `anchorhold run` and of the library's run(), the same names.
import type { EngineChoice, MountMode, PermissionMode, WorkspaceMode } from './policy.ts'

export interface RunOptions {
  /** Name of an agent, or undefined for a plain command. */
  readonly agent?: string
  readonly args: readonly string[]
  /** Default: the current folder. */
  readonly project?: string
  readonly engine?: EngineChoice
  /** An image by its name, for engines that start from one. */
  readonly image?: string
  /** A policy file used instead of the user's own. */
  readonly policy?: string
  readonly workspace?: WorkspaceMode
  readonly mode?: PermissionMode
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  /** `HOST[:PORT]=ADDRESS` each. */
  readonly route?: readonly string[]
  /** `NAME@HOST[:PORT][,…]` each; the value is the caller's environment variable NAME. */
  readonly secret?: readonly string[]
  /** `NAME` or `NAME=VALUE` each. */
  readonly env?: readonly string[]
  readonly hide?: readonly string[]
  readonly mount?: readonly { readonly path: string; readonly mode: MountMode }[]
  /** `NAME=VALUE` each. */
  readonly limit?: readonly string[]
  /** `AMOUNT` or `SCOPE=AMOUNT` each: dollars, `200k tokens`, `50 requests`. */
  readonly budget?: readonly string[]
  readonly name?: string
  /** Go on in the view of an earlier session's proposal: its id, the beginning of one, or its name. */
  readonly continue?: string
}
