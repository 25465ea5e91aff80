// Policy check: the shapes. A rule looks at a policy and says what it opens; check.ts asks all of them. Pure: what lies on the disk comes as `Seen`.
import type { Origin, Policy } from '../../model/policy.ts'
import type { Said } from '../layer.ts'

export type Severity = 'error' | 'warning' | 'note'

/** One thing of a policy that a rule has something to say about. */
export interface Hit {
  /** What it is about, as the user wrote it: `*.amazonaws.com`. */
  readonly subject: string
  readonly origin: Origin
  /** One sentence: what it means. */
  readonly means: string
  /** The tighter alternative, to be copied: a line of a policy, or a command. */
  readonly instead?: string
  /** Default: the rule's own. */
  readonly severity?: Severity
}

export interface CheckRule {
  readonly id: string
  readonly severity: Severity
  /** What it finds, in a few words. */
  readonly title: string
  /** Where the idea comes from: a case of attacks.md, a standard, a technique. */
  readonly source: string
  /** Policies that show it; the line with `# here` is found, and nothing of `mended` is. */
  readonly example: { readonly has: string; readonly mended: string }
  find(input: CheckInput): readonly Hit[]
}

export interface CheckFinding {
  readonly id: string
  readonly severity: Severity
  readonly subject: string
  readonly origin: Origin
  readonly means: string
  readonly instead?: string
}

/** What `checkPolicy` is given: a loaded policy, and as much more as the caller knows. */
export interface CheckInput {
  readonly policy: Policy
  readonly origins: Readonly<Record<string, Origin>>
  /** Presets by name, where they were written. */
  readonly presets?: readonly Said<string>[]
  readonly seen?: Seen
}

/** What was looked up outside of the policy (survey.ts); names and places alone, never a content. */
export interface Seen {
  /** Files in mounts that hold credentials and are not hidden from the cell. */
  readonly credentials?: readonly { readonly mount: string; readonly file: string; readonly what: string }[]
  /** Places of writable folders that the host runs or obeys. `root`: the project or a mount. */
  readonly obeyed?: readonly { readonly root: string; readonly file: string; readonly how: string }[]
  /** Mounts that a run would refuse. */
  readonly refused?: readonly { readonly mount: string; readonly reason: string }[]
  /** Names of `env` whose value in the policy is shaped like a credential. */
  readonly literals?: ReadonlySet<string>
  /** Names of `env` that say they hold one. */
  readonly namedCredentials?: ReadonlySet<string>
  /** Globs of `files.hide` that match nothing now. */
  readonly idleHides?: ReadonlySet<string>
  /** Of the project's own policy file. */
  readonly approval?: { readonly state: 'missing' | 'changed'; readonly file: string; readonly widens: readonly string[] }
}
