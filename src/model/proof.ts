// What a proof is made of: probes (the catalogue of probes/), and what came of each on one machine with one policy.
import type { TraitName } from './engine.ts'
import type { EngineName } from './policy.ts'

export const walls = ['files', 'network', 'gateway', 'secrets', 'kernel', 'resources', 'terminal', 'persistence', 'policy'] as const
export type Wall = (typeof walls)[number]

/** What docs/security.md promises, by its number there, in a word or two. */
export const promises: Readonly<Record<string, string>> = {
  P1: 'Files',
  P2: 'The project',
  P3: 'No execution by us',
  P4: 'Run-later files',
  P5: 'Network',
  P5a: 'Requests',
  P5b: 'TLS',
  P6: 'Secrets',
  P7: 'No side doors',
  P8: 'Privileges',
  P9: 'Limits',
  P10: 'Terminal',
  P11: 'End',
  P12: 'Fail closed',
}

export const clients = ['sh', 'node', 'python', 'static'] as const
/** What makes an attempt inside: a shell, Node, Python, a program without shared libraries that asks the kernel itself. */
export type Client = (typeof clients)[number]

export type ProbeSet = 'quick' | 'standard' | 'full'

/** A verb that clients know, and its fields with places in braces: `[read, "{beside}/key"]`. */
export type Try = readonly [string, ...string[]]

/** Who decides. All but `answer` and `shows` look from outside. */
export type ProbeWitness =
  /** The value that lies in that place comes back from the cell in no form. */
  | { readonly kind: 'canary' }
  /** Nobody visits the probe's own listeners. */
  | { readonly kind: 'listener' }
  /** What its listeners were sent, if anything came through, holds no value of the proof, in no form. */
  | { readonly kind: 'unsent' }
  /** Its listeners send back what they were sent; no value of the proof comes back with it. */
  | { readonly kind: 'returned' }
  /** What anchorhold's own log shows of the run names `mark`, and holds no character that a terminal would obey. */
  | { readonly kind: 'shown'; readonly mark: string }
  /** These paths of the host are not there afterwards. */
  | { readonly kind: 'absent'; readonly paths: readonly string[] }
  /** These files of the host are what they were. */
  | { readonly kind: 'unchanged'; readonly paths: readonly string[] }
  /** These files of the host hold nothing that an attempt wrote: each writes the word `planted`. */
  | { readonly kind: 'unplanted'; readonly paths: readonly string[] }
  /** These files of the host stop growing with the run: nothing of it is left that writes. `{outside}` is the cell's home on the host. */
  | { readonly kind: 'quiet'; readonly paths: readonly string[] }
  /** Every attempt is refused: the kernel's own answer, which nobody outside can see. */
  | { readonly kind: 'answer' }
  /** What was read matches: a state that the kernel reports. */
  | { readonly kind: 'shows'; readonly pattern: string }

/** `stand-in`: a project made for the purpose, because it is written there. `small`: an empty one, in a cell with low limits. */
export const probePlaces = ['project', 'stand-in', 'small'] as const
export type ProbePlace = (typeof probePlaces)[number]

export interface Probe {
  readonly id: string
  readonly wall: Wall
  /** What it means to the user, in one sentence. */
  readonly says: string
  readonly promise: string
  /** Rows of docs/attacks.md. */
  readonly source: readonly string[]
  readonly set: ProbeSet
  readonly place: ProbePlace
  readonly try: readonly Try[]
  /** Absent: every client that knows the verb. */
  readonly clients?: readonly Client[]
  readonly witness: ProbeWitness
  /** The try of the same kind that must work in the same cell, or nothing is shown. */
  readonly control: string
  /**
   * The launch in which it must go red: without a wall (as the administrator of a user namespace of its own, for `namespaced`), in a cell whose
   * policy allows what is tried, or (`raw`) in a cell whose log is shown as it is.
   */
  readonly weakened: 'bare' | 'namespaced' | 'allowed' | 'raw'
  /** The weakened launch needs root to go red. */
  readonly weakenedNeedsRoot?: true
  readonly engines: 'all' | readonly EngineName[]
  /** What an engine has to be able to do for it; where it says why it cannot, the probe is not applicable for that reason. */
  readonly needs?: TraitName
  /** Where it says that this is not promised, of every engine or of some: an attempt that gets through is a limit then. */
  readonly limit?: string | Readonly<Partial<Record<EngineName, string>>>
}

export type ProbeOutcome = 'holds' | 'leaks' | 'limit' | 'not-applicable' | 'could-not-run'

export interface ProbeResult {
  readonly id: string
  readonly wall: Wall
  readonly result: ProbeOutcome
  readonly says: string
  readonly promise: string
  readonly source: readonly string[]
  /** Why, in one sentence. */
  readonly why: string
  /** What came of it per client. */
  readonly clients: Readonly<Partial<Record<Client, ProbeOutcome>>>
}

/** A proof that still counts: nothing of what it was made with has changed since. */
export interface Standing {
  /** ISO 8601. */
  readonly date: string
  /** How many held. */
  readonly probes: number
  /** Made for this very start. */
  readonly fresh: boolean
}

/** One thing that a policy opens. */
export interface Opening {
  /** Id of the rule that found it (docs/policy-check.md). */
  readonly rule: string
  readonly severity: 'error' | 'warning' | 'note'
  /** As the user wrote it: `*.amazonaws.com`. */
  readonly subject: string
  /** Where: a file with its line, or a flag as it was typed. */
  readonly place: string
  /** One sentence: what it means. */
  readonly means: string
  /** The tighter alternative. */
  readonly instead?: string
}

export interface Proof {
  readonly verdict: 'holds' | 'leaks' | 'could-not-run'
  readonly probes: readonly ProbeResult[]
  readonly promises: readonly { readonly id: string; readonly kept: boolean; readonly probes: number }[]
  /** What the user's own policy opens: the findings of `anchorhold policy check`, but for lines that do nothing. */
  readonly opens: readonly Opening[]
  readonly engine: EngineName
  readonly set: ProbeSet
  /** `engine`: what it says of itself and of this machine. */
  readonly versions: { readonly anchorhold: string; readonly node: string; readonly engine: string }
  readonly kernel: string
  readonly policyDigest: string
  readonly project: string
  readonly date: string
  readonly milliseconds: number
}
