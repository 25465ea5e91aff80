// `anchorhold log`: a session's journal in words, live, verified, or as it is for machines.
import type { Command } from 'commander'
import { realpathSync } from 'node:fs'
import { Failure } from '../errors/failure.ts'
import type { SessionRecord } from '../model/session.ts'
import { jsonLine } from '../report/json-line.ts'
import { logLine } from '../report/log.ts'
import { printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { processContext } from '../run/context.ts'
import { followJournal, readJournal, type ReadLine } from '../session/follow.ts'
import { findSession, listSessions } from '../session/list.ts'
import { verifyJournal } from '../session/verify.ts'

interface Flags {
  readonly follow?: boolean
  readonly verify?: boolean
  readonly json?: boolean
}

/** Adds `log` to the program. */
export function register(program: Command): void {
  program
    .command('log')
    .summary('show what happened in a session')
    .description('Shows the journal of a session: by id, the beginning of an id, or name; without one, the newest of this project.')
    .argument('[id]', 'id, the beginning of one, or a name')
    .option('-f, --follow', 'go on as it is written, until the session ends')
    .option('--verify', 'check the hash chain; exit code 1 when the journal was changed')
    .option('--json', 'journal lines as JSON')
    .action(async (id: string | undefined, flags: Flags) => perform(select(id), flags))
}

function select(id: string | undefined): SessionRecord {
  const { folders, cwd } = processContext()
  if (id !== undefined) return findSession(folders.state, id)
  const project = realpathSync(cwd)
  const here = listSessions(folders.state, { project, ran: true, limit: 1 }).length > 0
  return findSession(folders.state, undefined, here ? { project } : {})
}

async function perform(record: SessionRecord, flags: Flags): Promise<void> {
  if (flags.verify === true) return verify(record, flags)
  const style = styleFor(process.stdout)
  const show = (read: ReadLine) =>
    printLines([flags.json === true ? jsonLine(read.kind === 'line' ? read.line : { unreadable: read.number }) : logLine(read, style)])
  if (flags.follow !== true) {
    for (const read of readJournal(record.folder)) show(read)
    return
  }
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort())
  for await (const read of followJournal(record, { signal: abort.signal })) show(read)
}

function verify(record: SessionRecord, flags: Flags): void {
  const found = verifyJournal(record)
  if (!found.ok && flags.json !== true)
    throw new Failure('session/journal-changed', { id: record.id, line: found.line, reason: `line ${found.line}: ${found.reason}` })
  if (!found.ok) process.exitCode = 1
  if (flags.json === true) printLines([jsonLine({ session: record.id, ...found })])
  else if (found.ok) printLines([`${record.id}: ${found.lines} lines, intact${ending(record, found.torn)}`])
}

function ending(record: SessionRecord, torn: boolean): string {
  const half = torn ? '; half a line follows, as after a kill' : ''
  return record.journal === undefined ? `; the session has no recorded end, so a cut tail would not show${half}` : ' to the end'
}
