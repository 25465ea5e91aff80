// Opens a session on disk: its folder, record, journal and running marker; closes them at the end.
// Before it: the policy and the engine are chosen. After it: workspace and gateway write their events here.
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { ownMark } from '../host/liveness.ts'
import type { Emit, SessionEvent } from '../model/events.ts'
import type { SessionRecord } from '../model/session.ts'
import { journalFile, markText, runningDir, sessionFolder, sessionsDir } from './folders.ts'
import { makeHeldBack } from './held-back.ts'
import { openJournal, type Journal } from './journal.ts'
import { writeRecord } from './record.ts'
import { emptyState, fold, type SessionState } from './state.ts'

export interface SessionInput {
  /** `stateDir()` of host/paths.ts. */
  readonly stateDir: string
  readonly project: string
  readonly agent: string
  readonly engine: string
  readonly name?: string
  /** Events are written from `settle` on, and those before it then. */
  readonly patient?: boolean
  /** Id of the session that began the proposal; 'own' for one that this session begins. */
  readonly proposal?: string
  /** Nothing will run in it: it is not what somebody means who asks for the newest. */
  readonly dryRun?: boolean
  /** Bytes of the journal at most; default 64 MiB. */
  readonly journalCap?: number
  /** The journal can't be written any more: end the run (once, with what the system said). */
  readonly onBroken: (failure: Failure) => void
  /** Exact values that no event may hold: those of the session's secrets, asked anew for each event. */
  readonly secretValues?: () => readonly string[]
  /** Every event after it was written, uncounted and uncut (library users, `--json`). What it throws becomes one warning. */
  readonly onEvent?: Emit
}

export interface Session {
  readonly id: string
  /** Absolute, 0700; room for the workspace's quarantine and the like. */
  readonly folder: string
  readonly record: SessionRecord
  /** Never throws and never blocks for long; the caller emits `session.started` first and `session.ended` last. */
  readonly emit: Emit
  /** Until then events wait in memory (the start of a run has more urgent things to do); a killed session's journal may lack them. */
  readonly settle: () => void
  /** What happened so far (live object). */
  readonly state: SessionState
  /** Ends journal and record and takes the running marker away. Idempotent; never rejects. */
  readonly close: (exitCode: number) => Promise<void>
}

/**
 * Makes the session's folder and files (a few system calls, all synchronous and short).
 * @throws Failure session/state-unwritable, session/state-unsafe, session/bad-name
 */
export async function openSession(input: SessionInput): Promise<Session> {
  if (input.name !== undefined && !/^[\w][\w .-]{0,63}$/.test(input.name)) throw new Failure('session/bad-name', { name: input.name })
  try {
    makeStateFolders(input.stateDir)
    return open(input)
  } catch (error) {
    if (error instanceof Failure || !(error instanceof Error)) throw error
    throw new Failure('session/state-unwritable', { path: input.stateDir, reason: error.message }, { cause: error })
  }
}

function open(input: SessionInput): Session {
  const startedAt = new Date()
  const id = makeFolder(input.stateDir, startedAt)
  const folder = sessionFolder(input.stateDir, id)
  const mark = ownMark()
  const marker = path.join(runningDir(input.stateDir), id)
  symlinkSync(markText(mark), marker)
  const record: SessionRecord = {
    id,
    ...(input.name === undefined ? {} : { name: input.name }),
    project: input.project,
    agent: input.agent,
    engine: input.engine,
    ...(input.proposal === undefined ? {} : { proposal: input.proposal === 'own' ? id : input.proposal }),
    ...(input.dryRun === true ? { dryRun: true } : {}),
    startedAt: startedAt.toISOString(),
    state: 'running',
    pid: mark.pid,
    pidStart: mark.start,
    machine: mark.machine,
    folder,
  }
  writeRecord(record)
  const journal = openJournal({
    file: journalFile(folder),
    session: id,
    patient: input.patient === true,
    ...(input.journalCap === undefined ? {} : { cap: input.journalCap }),
    onBroken: (error) =>
      input.onBroken(new Failure('session/journal-broken', { path: journalFile(folder), reason: error.message }, { cause: error })),
  })
  // Nothing of a start that takes its time stays in memory for long.
  if (input.patient === true) setTimeout(() => journal.settle(), 250).unref()
  const state = emptyState()
  return {
    id,
    folder,
    record,
    state,
    emit: emitter(journal, state, input),
    settle: () => journal.settle(),
    close: closer(journal, record, marker, input.onBroken),
  }
}

function emitter(journal: Journal, state: SessionState, { onEvent, secretValues }: SessionInput): Emit {
  let listenerFailed = false
  const holdBack = secretValues === undefined ? (event: SessionEvent) => event : makeHeldBack(secretValues)
  return (given: SessionEvent) => {
    const event = holdBack(given)
    journal.append(event)
    fold(state, event)
    if (onEvent === undefined) return
    try {
      onEvent(event)
    } catch (error) {
      if (listenerFailed) return
      listenerFailed = true
      const message = `A listener for events failed: ${error instanceof Error ? error.message : String(error)}`
      journal.append({ kind: 'warning', code: 'session/listener', message })
    }
  }
}

function closer(journal: Journal, record: SessionRecord, marker: string, onBroken: SessionInput['onBroken']): Session['close'] {
  let closed = false
  return async (exitCode) => {
    if (closed) return
    closed = true
    try {
      const chain = journal.close()
      writeRecord({ ...record, state: 'ended', endedAt: new Date().toISOString(), exitCode, journal: chain })
      rmSync(marker, { force: true })
    } catch (error) {
      // The marker stays: the next start marks this session as crashed and clears up after it.
      onBroken(
        new Failure(
          'session/state-unwritable',
          { path: record.folder, reason: error instanceof Error ? error.message : String(error) },
          { cause: error },
        ),
      )
    }
  }
}

/** The state folder is the wall's own memory: it must belong to the caller, and nobody else gets in. */
function makeStateFolders(stateDir: string): void {
  for (const folder of [sessionsDir(stateDir), runningDir(stateDir)]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const folder of [stateDir, sessionsDir(stateDir), runningDir(stateDir)]) {
    const stat = statSync(folder)
    const uid = process.getuid?.()
    if (uid !== undefined && stat.uid !== uid) throw new Failure('session/state-unsafe', { path: folder, owner: stat.uid, caller: uid })
    if ((stat.mode & 0o077) !== 0) chmodSync(folder, 0o700)
  }
}

/** Two sessions in one second differ in their last four characters; mkdir decides who has a name, so they need be no secret. */
function makeFolder(stateDir: string, now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  for (let attempt = 0; ; attempt += 1) {
    const id = `${stamp}-${Math.floor(Math.random() * 36 ** 4)
      .toString(36)
      .padStart(4, '0')}`
    try {
      mkdirSync(sessionFolder(stateDir, id), { mode: 0o700 })
      return id
    } catch (error) {
      if (attempt >= 50 || !(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}
