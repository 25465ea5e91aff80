// The contract between the planner and an engine. A new engine is one file in engines/ and one line in its list.
import type { Server } from 'node:net'
import type { Socket as DatagramSocket } from 'node:dgram'
import type { EngineName } from './policy.ts'
import type { ContainerProgram, Image } from './image.ts'
import type { Cover, Listener, Plan } from './plan.ts'

/** Each limit and promise an engine can keep on this machine, or the reason why not. */
export interface Traits {
  readonly name: EngineName
  readonly title: string
  /** What must break for code to get out, in one sentence. */
  readonly wall: string
  /** Where the cell's system folders come from: this machine's own, or an image. */
  readonly system: 'host' | 'image'
  /** Parity matrix rows (docs/engines.md is generated from these): true, or the reason why not. */
  readonly can: Readonly<Record<TraitName, true | string>>
}
export type TraitName =
  | 'live'
  | 'review'
  | 'readonly'
  | 'covers'
  | 'late-covers'
  | 'git-config'
  | 'terminal'
  | 'own-kernel'
  | 'limit-memory'
  | 'limit-processes'
  | 'limit-cpus'
  | 'limit-time'
  | 'limit-tmp'
  | 'limit-file-size'
  | 'limit-open-files'

export interface Finding {
  readonly id: string
  readonly level: 'ok' | 'warning' | 'missing'
  readonly what: string
  /** Exact command that mends it. */
  readonly remedy?: string
  /** argv of the mend when `doctor --fix` may run it. */
  readonly fix?: readonly string[]
}

/** What an engine would execute: argv and what goes through descriptors. Pure data; printed by --dry-run. */
export interface Compiled {
  readonly argv: readonly string[]
  /** The environment of the engine's own process (not of the command). */
  readonly env: Readonly<Record<string, string>>
  /** Bytes written to numbered descriptors (≥ 3) of the engine's process, then closed. */
  readonly inputs: readonly { readonly fd: number; readonly name: string; readonly content: Uint8Array; readonly redact: boolean }[]
  /** Files of the host that `argv` names, made before it is run (and by --dry-run): the name tells the content. */
  readonly files?: readonly MadeFile[]
  /** Further command lines that have to run beside `argv`, in order. */
  readonly beside?: readonly { readonly name: string; readonly argv: readonly string[] }[]
  /** One row per limit: how it is enforced here, or why not. */
  readonly limits: readonly EnforcedLimit[]
}
export interface MadeFile {
  readonly path: string
  readonly content: Uint8Array
  /** 0o444, or 0o400 for what only the caller may read. */
  readonly mode: number
}
export interface EnforcedLimit {
  readonly name: keyof Plan['limits']
  readonly value: number
  readonly enforced: boolean
  /** "cgroup", "user namespace", "rlimit", "tmpfs size", "watched every 250 ms", "timer", or the reason why not. */
  readonly how: string
}

/** The cell's listening sockets, born in its network namespace, accepted out here. */
export interface BornListener {
  readonly listener: Listener
  readonly socket: Server | DatagramSocket
}

export interface CellEnd {
  readonly kind: 'exited' | 'signalled' | 'failed'
  readonly code: number
  readonly signal?: NodeJS.Signals
  /** Set when a limit ended it. */
  readonly limit?: keyof Plan['limits']
  /** For 'failed': what the engine said; the command never ran, or the engine went away under it (`lost`). */
  readonly message?: string
  /** Which preflight failed, in words. */
  readonly preflight?: string
  readonly lost?: true
  readonly usage?: { readonly maxRssBytes: number; readonly cpuMilliseconds: number; readonly oomKills: number }
}

export interface Cell {
  readonly pid: number
  /** Puts a cover over a path while the cell runs (a protection that the host replaced). Resolves when it lies. */
  cover(cover: Cover): Promise<void>
  /** Sends a signal to the command inside. */
  signal(signal: NodeJS.Signals): void
  /** Kills everything of the cell now. Idempotent. */
  kill(reason?: keyof Plan['limits']): void
  /** Resolves once nothing of the cell is left. Never rejects. */
  readonly ended: Promise<CellEnd>
}

/** What has to be known of a run before there is a plan. */
export interface GroundInput {
  readonly session: string
  readonly limits: Plan['limits']
  readonly stdio: { readonly stdin: Stdio; readonly stdout: Stdio; readonly stderr: Stdio }
  /** The session's own folder, 0700; a test may have none. */
  readonly folder: string
  /** For engines whose system is an image. */
  readonly image?: Image
}

/** What an engine has made ready of a cell while the plan was still being made. Disposing it ends all of it, unless it was launched. */
export interface Ground extends AsyncDisposable {
  readonly facts: EngineFacts
  /**
   * Resolves once the command may start (the listeners are adopted); rejects with Failure('engine/start') when the cell could not be
   * made so far. Later troubles are told by `ended` of the cell, which never rejects.
   */
  launch(plan: Plan, compiled: Compiled, options: StartOptions): Promise<Cell>
}

export interface LaunchOptions extends StartOptions {
  readonly stdio: GroundInput['stdio']
  readonly folder: string
}

export interface StartOptions {
  readonly signal: AbortSignal
  /** Called with the listeners before the command starts; the command starts only after it resolved. */
  readonly onListeners: (born: readonly BornListener[]) => Promise<void>
  /** Called once every check of the plan's preflight held inside and the command starts. */
  readonly onStarted?: () => void
}
/** 'inherit' passes the caller's own descriptor; a number is an open descriptor. */
export type Stdio = 'inherit' | 'ignore' | number

export interface Engine {
  readonly traits: Traits
  /** What is there and what is missing on this machine; no side effect. `ok` only where `launch` can work. */
  examine(): Promise<readonly Finding[]>
  /** Whether it looks as if it could work here, from a glance; `auto` takes the first such engine unexamined. */
  plausible(): boolean
  /** The program that builds its images; undefined where the system is the host's. */
  imageProgram(): Promise<ContainerProgram | undefined>
  /** Pure: same plan and same facts, same result. A promise where the code is loaded only then. */
  compile(plan: Plan, facts: EngineFacts): Compiled | Promise<Compiled>
  /** Facts about the machine that compile needs, looked up once per run. */
  facts(plan: Plan): Promise<EngineFacts>
  /** Starts what doesn't depend on the plan, beside everything else: such a cell is there some milliseconds sooner. */
  begin(input: GroundInput): Promise<Ground>
  /** `begin` and its ground's `launch` in one. */
  launch(plan: Plan, compiled: Compiled, options: LaunchOptions): Promise<Cell>
  /** Ends what a killed anchorhold left behind of this session; returns what it did, in words. */
  reap(session: string): Promise<readonly string[]>
}
/** Opaque to all but the engine itself: absolute helper paths, cgroup folder, versions. */
export type EngineFacts = Readonly<Record<string, string | number | boolean>>
