// Clears up after sessions whose anchorhold was killed; done at each start and by doctor. Costs one readdir when all is well.
// A session is claimed by renaming its running marker: the file system lets exactly one of several reapers win.
import { existsSync, readdirSync, readlinkSync, renameSync, rmSync, truncateSync } from 'node:fs'
import path from 'node:path'
import { liveness, machineMark, ownMark } from '../host/liveness.ts'
import type { Engine } from '../model/engine.ts'
import type { Emit, SessionEvent } from '../model/events.ts'
import type { SessionRecord } from '../model/session.ts'
import { idPattern, journalFile, markText, parseMark, runningDir, sessionFolder } from './folders.ts'
import { openJournal } from './journal.ts'
import { readRecord, writeRecord } from './record.ts'
import { verifyJournal } from './verify.ts'

export interface ReapInput {
  readonly stateDir: string
  readonly engines: readonly Engine[]
  /** Sweeps a killed session's project for protected files planted since its start (workspace phase); its events go to that session's journal. */
  readonly sweep: (input: {
    readonly project: string
    readonly since: Date
    readonly folder: string
    readonly session: string
    readonly emit: Emit
  }) => Promise<void>
}

export interface Reaped {
  readonly session: string
  readonly project: string | undefined
  /** What was done, in words. */
  readonly did: readonly string[]
  /** What went wrong, in words; such a session is tried again by the next start. */
  readonly problems: readonly string[]
}

/** Never rejects: what could not be done is a problem of that session's row. Sessions of living processes are left alone. */
export async function reapSessions(input: ReapInput): Promise<readonly Reaped[]> {
  const markers = markersOf(input.stateDir)
  if (markers.length === 0) return []
  const here = machineMark()
  const reaped: Reaped[] = []
  for (const marker of markers) {
    const claim = claimed(input.stateDir, marker, here)
    if (claim !== undefined) reaped.push(await reapOne(input, claim))
  }
  return reaped
}

interface Claim {
  readonly id: string
  /** Absolute path of the claimed marker. */
  readonly marker: string
}

function markersOf(stateDir: string): readonly string[] {
  try {
    return readdirSync(runningDir(stateDir))
  } catch (error) {
    if (isSystemError(error)) return []
    throw error
  }
}

/** A marker is named `ID`, or `ID@MARK` while the reaper MARK is at it (slashes as `+`). */
function claimed(stateDir: string, name: string, here: string): Claim | undefined {
  const [id, reaper] = name.split('@', 2)
  if (id === undefined || !idPattern.test(id)) return undefined
  const file = path.join(runningDir(stateDir), name)
  const marker = path.join(runningDir(stateDir), `${id}@${markText(ownMark()).replaceAll('/', '+')}`)
  try {
    const owner = parseMark(reaper === undefined ? readlinkSync(file) : reaper.replaceAll('+', '/'))
    // A marker that says nothing readable is nobody's.
    if (owner !== undefined && liveness(owner, here) !== 'gone') return undefined
    renameSync(file, marker)
    return { id, marker }
  } catch (error) {
    // Another reaper, or the session's own end, was faster.
    if (isSystemError(error)) return undefined
    throw error
  }
}

async function reapOne(input: ReapInput, claim: Claim): Promise<Reaped> {
  const folder = sessionFolder(input.stateDir, claim.id)
  const read = readRecord(folder)
  const record = read.ok ? read.record : undefined
  const did: string[] = []
  const problems: string[] = []
  const attempt = async (what: string, step: () => Promise<void> | void) => {
    try {
      await step()
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  // Without a record nobody knows which engine it was.
  const engines = input.engines.filter((engine) => record === undefined || engine.traits.name === record.engine)
  // An engine that is not at hand can't have cleared up: the marker stays for a start that knows it.
  if (record !== undefined && engines.length === 0) problems.push(`engine ${record.engine} is not known here`)
  for (const engine of engines) await attempt(engine.traits.title, async () => void did.push(...(await engine.reap(claim.id))))
  if (record?.state === 'running') await attempt('record', () => markCrashed(input, record, did, attempt))
  await attempt('marker', () => {
    if (problems.length === 0) rmSync(claim.marker, { force: true })
    else renameSync(claim.marker, path.join(runningDir(input.stateDir), claim.id))
  })
  return { session: claim.id, project: record?.project, did, problems }
}

async function markCrashed(
  input: ReapInput,
  record: SessionRecord,
  did: string[],
  attempt: (what: string, step: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const events: SessionEvent[] = []
  await attempt('sweep', () =>
    input.sweep({
      project: record.project,
      since: new Date(record.startedAt),
      folder: record.folder,
      session: record.id,
      emit: (event) => void events.push(event),
    }),
  )
  const planted = events.filter((event) => event.kind === 'file.quarantined').length
  if (planted > 0) did.push(`moved ${planted} planted ${planted === 1 ? 'file' : 'files'} to the session's quarantine`)
  const journal = extendJournal(record, [...events, { kind: 'session.reaped', did: [...did] }])
  writeRecord({ ...record, state: 'crashed', endedAt: new Date().toISOString(), ...(journal === undefined ? {} : { journal }) })
}

/** Goes on where the killed session stopped. A chain that is broken already is left as it is: evidence. */
function extendJournal(record: SessionRecord, events: readonly SessionEvent[]): SessionRecord['journal'] {
  const file = journalFile(record.folder)
  // Killed between its record and its journal: this is the first line.
  const found = existsSync(file) ? verifyJournal(record) : undefined
  if (found?.ok === false) return undefined
  if (found?.torn === true) truncateSync(file, found.bytes)
  const broken: Error[] = []
  const journal = openJournal({
    file,
    session: record.id,
    ...(found === undefined ? {} : { after: found }),
    onBroken: (error) => void broken.push(error),
  })
  for (const event of events) journal.append(event)
  const end = journal.close()
  const [error] = broken
  if (error !== undefined) throw error
  return end
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error
}
