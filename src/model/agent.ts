// The contract between anchorhold and an agent. A new agent is one file in agents/ and one line in its list.
import type { PermissionMode } from './policy.ts'
import type { Mount } from './plan.ts'
import type { SecretRule } from './secret.ts'
import type { Finding } from './engine.ts'

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

export interface AgentContext {
  /** The caller's own environment and home on the host (absolute). */
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  /** The project's canonical path, the same inside and outside. */
  readonly project: string
  /** The host folder that is the agent's home for this project (writable, kept), and its path inside. */
  readonly homeFolder: string
  readonly home: string
  readonly mode: PermissionMode
  /** Tool patterns of `permissions.allow`. */
  readonly allow: readonly string[]
  /** What the policy puts into the cell's environment (`--env`), with the values that the cell will see. */
  readonly env?: Readonly<Record<string, string>>
  /** Where the cell's system is an image: the agent's program in it, instead of an installation of the host's. */
  readonly installed?: { readonly path: string; readonly version: string }
  /** Whether the cell's system is an image: nothing of the host's run-times is shown then. */
  readonly fromImage?: boolean
  /** What the user typed after the agent's name, untouched. */
  readonly args: readonly string[]
}

/** What an agent needs from the host; made once per run. */
export interface Prepared {
  /** argv[0] absolute as seen inside. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Its installation (read-only), the user's set-up carried in (read-only), its managed settings. */
  readonly mounts: readonly Mount[]
}

export interface Agent {
  readonly name: string
  readonly title: string
  /** Preset (policy/presets) with the hosts it talks to; allowed when this agent runs. */
  readonly presets: readonly string[]
  /** Names of variables passed from the caller's environment when set there (never credentials). */
  readonly passEnv: readonly string[]
  /**
   * Credentials of the user's that it would use outside, each bound to its own hosts: they become secrets of the run, never variables. None where
   * the policy speaks of its credentials or its API's address itself (`taken`: names of variables).
   */
  secrets(context: Pick<AgentContext, 'hostEnv' | 'hostHome'> & { readonly taken: ReadonlySet<string> }): Promise<readonly SecretRule[]>
  /** How it comes into an image; undefined for what is no package. */
  readonly distribution: Distribution | undefined
  /** Whether it is installed, and the command that installs it. */
  examine(context: Pick<AgentContext, 'hostEnv' | 'hostHome'>): Promise<readonly Finding[]>
  /** Refuses (Failure) the user's own skip-permission switches outside `auto`; writes the home's starting files. */
  prepare(context: AgentContext): Promise<Prepared>
}
