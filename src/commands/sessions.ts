// `anchorhold sessions`, `sessions prune` and `restore`: what is kept of earlier runs, and what can be put back from it.
import type { Command } from 'commander'
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { renderTable } from '../report/table.ts'
import { plain } from '../report/text.ts'
import { counted, duration } from '../report/units.ts'
import { processContext } from '../run/context.ts'
import type { SessionRecord } from '../model/session.ts'
import { proposalOf } from '../review/find.ts'
import { proposalFolder } from '../review/folders.ts'
import { holderOf } from '../review/lock.ts'
import { isDamaged } from '../review/record.ts'
import { findSession, listSessions, type Listed } from '../session/list.ts'
import { pruneSessions } from '../session/prune.ts'

interface ListFlags {
  readonly json?: boolean
  readonly project?: string
  readonly all?: boolean
}
interface PruneFlags {
  readonly days: string
  readonly withFiles?: boolean
  readonly damaged?: boolean
  readonly dryRun?: boolean
}

/** Adds `sessions` and `restore` to the program. */
export function register(program: Command): void {
  const sessions = program
    .command('sessions')
    .summary('list earlier and running sessions')
    .description('Lists the sessions of this project, the newest first.')
    .option('--project <dir>', 'those of another project')
    .option('--all', 'those of every project')
    .option('--json', 'one JSON object for each session')
    .action((flags: ListFlags) => list(flags))
  sessions
    .command('prune')
    .summary('remove old sessions')
    .description('Removes sessions that ended some time ago. Running ones stay, and those that still hold files taken out of a project.')
    .option('--days <number>', 'how long ago they ended, in days', '30')
    .option('--with-files', 'also those that hold files')
    .option('--damaged', 'also those whose record cannot be read')
    .option('--dry-run', 'only say what would be removed')
    .action((flags: PruneFlags) => prune(flags))
  program
    .command('restore')
    .summary('put a file back that a session took out of the project')
    .description('Puts a quarantined file back where it appeared. It never overwrites what is there now.')
    .argument('<id>', 'id of the session, the beginning of one, or its name')
    .argument('<path>', 'the file, as `anchorhold log` shows it')
    .action((id: string, file: string) => restore(id, file))
}

function list(flags: ListFlags): void {
  const { folders, cwd } = processContext()
  const project = flags.all === true ? undefined : canonical(path.resolve(cwd, flags.project ?? '.'))
  const found = listSessions(folders.state, project === undefined ? {} : { project })
  if (flags.json === true)
    return printLines(
      found.map((listed) =>
        jsonLine(
          listed.kind === 'session'
            ? withReview(folders.state, listed.record)
            : { id: listed.id, state: 'damaged', folder: listed.folder, reason: listed.reason },
        ),
      ),
    )
  const columns = [
    { title: 'SESSION', least: 20 },
    { title: 'NAME' },
    { title: 'STATE', least: 12 },
    { title: 'PROPOSAL', least: 16 },
    { title: 'STARTED', least: 16 },
    { title: 'LASTED', least: 6 },
    { title: 'AGENT' },
    { title: 'PROJECT', least: 10 },
  ]
  const lines = renderTable(
    columns,
    found.map((listed) => row(folders.state, listed)),
    styleFor(process.stdout),
  )
  printLines(
    lines.length > 0
      ? lines
      : [`No session${project === undefined ? '' : ` of ${plain(project)}; anchorhold sessions --all lists those of every project`}.`],
  )
}

function row(stateDir: string, listed: Listed): readonly string[] {
  if (listed.kind === 'damaged') return [listed.id, '', 'damaged', '', '', '', '', listed.reason]
  const { record } = listed
  const state = record.state === 'ended' && record.exitCode !== undefined ? `ended (${record.exitCode})` : record.state
  const lasted =
    record.endedAt === undefined || record.state === 'crashed' ? '' : duration(Date.parse(record.endedAt) - Date.parse(record.startedAt))
  return [
    record.id,
    record.name ?? '',
    state,
    proposalText(stateDir, record),
    record.startedAt.slice(0, 16).replace('T', ' '),
    lasted,
    record.agent,
    record.project,
  ]
}

/** "open, 7 files changed", or whose proposal the session went on with; empty for a run without review. */
function proposalText(stateDir: string, record: SessionRecord): string {
  if (record.proposal !== undefined && record.proposal !== record.id) return `of ${record.proposal}`
  const found = proposalOf(stateDir, record)
  if (found === undefined) return isDamaged(proposalFolder(record.folder)) ? 'damaged' : ''
  const { state, changes } = found.proposal
  if (holderOf(found.folder) !== undefined) return `${state}, in use`
  return state === 'open' && changes !== undefined ? `${state}, ${changes === 0 ? 'no change' : counted(changes, 'change')}` : state
}

/** The record with what became of its proposal, as `review`. */
function withReview(stateDir: string, record: SessionRecord): Readonly<Record<string, unknown>> {
  const found = record.proposal === undefined ? undefined : proposalOf(stateDir, record)
  if (found === undefined) return isDamaged(proposalFolder(record.folder)) ? { ...record, review: { state: 'damaged' } } : { ...record }
  const { id, state, changes, kind } = found.proposal
  const inUse = holderOf(found.folder) !== undefined
  return { ...record, review: { proposal: id, state, kind, inUse, ...(changes === undefined ? {} : { changes }) } }
}

async function prune(flags: PruneFlags): Promise<void> {
  if (!/^\d{1,5}$/.test(flags.days)) throw new Failure('session/bad-days', { text: flags.days })
  const { folders } = processContext()
  const { removeSession, waits } = await import('../review/remove.ts')
  const { removed, kept } = await pruneSessions({
    stateDir: folders.state,
    waits: (folder) => waits(folder, flags.damaged === true),
    remove: removeSession,
    before: new Date(Date.now() - Number(flags.days) * 86_400_000),
    withFiles: flags.withFiles === true,
    damaged: flags.damaged === true,
    dryRun: flags.dryRun === true,
  })
  const verb = flags.dryRun === true ? 'would be removed' : 'removed'
  printLines([`${counted(removed.length, 'session')} ${verb}`, ...kept.map(({ id, reason }) => `kept ${id}: ${plain(reason)}`)])
}

async function restore(id: string, file: string): Promise<void> {
  const { restoreQuarantined } = await import('../workspace/quarantine.ts')
  const record = findSession(processContext().folders.state, id)
  const restored = await restoreQuarantined(record.folder, file)
  printLines([`put back: ${plain(restored)}`])
}

/** A project folder that is gone may still have sessions. */
function canonical(folder: string): string {
  try {
    return realpathSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return folder
    throw error
  }
}
