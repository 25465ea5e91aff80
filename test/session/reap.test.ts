// After a kill -9: exactly one of several starts clears up, the living are left alone, nothing to do costs nothing.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { liveness, ownMark, processStart } from '../../src/host/liveness.ts'
import { readJournal } from '../../src/session/follow.ts'
import { journalFile, markText, runningDir, sessionFolder } from '../../src/session/folders.ts'
import { findSession } from '../../src/session/list.ts'
import { pruneSessions } from '../../src/session/prune.ts'
import { reapSessions, type Reaped } from '../../src/session/reap.ts'
import { verifyJournal } from '../../src/session/verify.ts'
import { makeStateDir, newSession } from './support.ts'
import { witnessEngine } from './witness-engine.ts'

const fixture = (name: string) => path.join(import.meta.dirname, 'fixtures', name)
const noSweep = async () => undefined

/** A session whose process was killed; gives its id. */
async function killedSession(stateDir: string): Promise<string> {
  const holder = spawn(process.execPath, [fixture('hold.ts'), stateDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = (await once(holder.stdout, 'data')) as [Buffer]
  const id = chunk.toString().trim()
  expect(findSession(stateDir, id).state).toBe('running')
  expect(await reapSessions({ stateDir, engines: [witnessEngine(() => expect.unreachable())], sweep: noSweep })).toEqual([])
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  return id
}

test('five starts at once clear up after a killed session exactly once', async () => {
  const stateDir = makeStateDir()
  const id = await killedSession(stateDir)
  expect(findSession(stateDir, id).state).toBe('crashed')
  expect(await pruneSessions({ stateDir, before: new Date(Date.now() + 1_000), withFiles: true })).toEqual({ removed: [], kept: [] })
  const run = promisify(execFile)
  const answers = await Promise.all(Array.from({ length: 5 }, () => run(process.execPath, [fixture('reap.ts'), stateDir])))
  const reaped = answers.flatMap(({ stdout }) => JSON.parse(stdout) as Reaped[])
  expect(reaped).toEqual([
    { session: id, project: '/project', did: ['ended 1 process', "moved 1 planted file to the session's quarantine"], problems: [] },
  ])
  expect(readdirSync(stateDir).filter((name) => name.startsWith('reaped-'))).toHaveLength(1)
  expect(readdirSync(runningDir(stateDir))).toEqual([])
  const record = findSession(stateDir, id)
  expect(record).toMatchObject({ state: 'crashed' })
  expect(verifyJournal(record)).toMatchObject({ ok: true })
  const kinds = [...readJournal(record.folder)].map((read) => (read.kind === 'line' ? read.line.event.kind : ''))
  expect(kinds.slice(-2)).toEqual(['file.quarantined', 'session.reaped'])
  expect(kinds.filter((kind) => kind === 'session.reaped')).toHaveLength(1)
})

test('half a line at the end is cut, and the chain goes on', async () => {
  const stateDir = makeStateDir()
  const id = await killedSession(stateDir)
  appendFileSync(journalFile(sessionFolder(stateDir, id)), '{"event":{"ki')
  expect(await reapSessions({ stateDir, engines: [witnessEngine(() => undefined)], sweep: noSweep })).toMatchObject([{ problems: [] }])
  expect(verifyJournal(findSession(stateDir, id))).toMatchObject({ ok: true })
})

test('a session killed before its journal was there is cleared up too: its journal begins with that', async () => {
  const stateDir = makeStateDir()
  const id = await killedSession(stateDir)
  rmSync(journalFile(sessionFolder(stateDir, id)))
  expect(await reapSessions({ stateDir, engines: [witnessEngine(() => undefined)], sweep: noSweep })).toMatchObject([{ problems: [] }])
  expect(readdirSync(runningDir(stateDir))).toEqual([])
  expect(verifyJournal(findSession(stateDir, id))).toMatchObject({ ok: true, lines: 1 })
})

test('a journal changed before is left as evidence', async () => {
  const stateDir = makeStateDir()
  const id = await killedSession(stateDir)
  const file = journalFile(sessionFolder(stateDir, id))
  appendFileSync(file, '{"event":{"kind":"warning"},"seq":9999}\n')
  const { size } = lstatSync(file)
  await reapSessions({ stateDir, engines: [witnessEngine(() => undefined)], sweep: noSweep })
  expect(lstatSync(file).size).toBe(size)
  expect(verifyJournal(findSession(stateDir, id)).ok).toBe(false)
})

test('what could not be cleared up is tried again', async () => {
  const stateDir = makeStateDir()
  const id = await killedSession(stateDir)
  const failing = witnessEngine(() => {
    throw new Error('cgroup is busy')
  })
  expect(await reapSessions({ stateDir, engines: [failing], sweep: noSweep })).toMatchObject([
    { session: id, problems: ['bubblewrap: cgroup is busy'] },
  ])
  expect(await reapSessions({ stateDir, engines: [], sweep: noSweep })).toMatchObject([
    { session: id, problems: ['engine bubblewrap is not known here'] },
  ])
  expect(await reapSessions({ stateDir, engines: [witnessEngine(() => undefined)], sweep: noSweep })).toMatchObject([
    { session: id, problems: [] },
  ])
  expect(await reapSessions({ stateDir, engines: [failing], sweep: noSweep })).toEqual([])
})

test('a reaper that was killed itself is succeeded', async () => {
  const stateDir = makeStateDir()
  const id = await killedSession(stateDir)
  const gone = markText({ ...ownMark(), start: 1 }).replaceAll('/', '+')
  renameSync(path.join(runningDir(stateDir), id), path.join(runningDir(stateDir), `${id}@${gone}`))
  expect(await reapSessions({ stateDir, engines: [witnessEngine(() => undefined)], sweep: noSweep })).toMatchObject([
    { session: id, problems: [] },
  ])
  expect(readdirSync(runningDir(stateDir))).toEqual([])
})

test('markers of others, of elsewhere and strange ones do no harm', async () => {
  const stateDir = makeStateDir()
  const live = await newSession(stateDir)
  const elsewhere = '20200101-000000-else'
  symlinkSync(markText({ pid: 1, start: 1, machine: 'other-host/000000000000/1' }), path.join(runningDir(stateDir), elsewhere))
  symlinkSync('/etc/passwd', path.join(runningDir(stateDir), '20200101-000000-bad0'))
  mkdirSync(path.join(runningDir(stateDir), '..something'))
  const reaped = await reapSessions({ stateDir, engines: [witnessEngine(() => undefined)], sweep: noSweep })
  expect(reaped.map(({ session }) => session)).toEqual(['20200101-000000-bad0'])
  expect(readdirSync(runningDir(stateDir)).sort()).toEqual(['..something', elsewhere, live.id].sort())
  await live.close(0)
})

test('a reused pid is another process', () => {
  const mark = ownMark()
  expect(liveness(mark)).toBe('alive')
  expect(liveness({ ...mark, start: mark.start - 1 })).toBe('gone')
  expect(liveness({ ...mark, machine: mark.machine.replace(/\/[0-9a-f]+\//, '/000000000000/') })).toBe('gone')
  expect(liveness({ ...mark, machine: mark.machine.replace(/\d+$/, '1') })).toBe('elsewhere')
  expect(processStart(2 ** 22 + 1)).toBeUndefined()
})
