// Opening, closing, finding sessions; several at once; damage and foreign hands.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { followJournal } from '../../src/session/follow.ts'
import { idPattern, journalFile, recordFile, runningDir, sessionFolder } from '../../src/session/folders.ts'
import { findSession, listSessions } from '../../src/session/list.ts'
import { pruneSessions } from '../../src/session/prune.ts'
import { verifyJournal } from '../../src/session/verify.ts'
import { makeStateDir, newSession } from './support.ts'

const mode = (file: string) => statSync(file).mode & 0o777

test('a session is private, running while open, ended when closed', async () => {
  const stateDir = makeStateDir()
  const session = await newSession(stateDir, { name: 'first' })
  expect(session.id).toMatch(idPattern)
  expect([mode(stateDir), mode(session.folder), mode(recordFile(session.folder)), mode(journalFile(session.folder))]).toEqual([
    0o700, 0o700, 0o600, 0o600,
  ])
  expect(findSession(stateDir, 'first')).toMatchObject({ id: session.id, state: 'running' })
  expect(readdirSync(runningDir(stateDir))).toEqual([session.id])
  await session.close(7)
  await session.close(8)
  expect(findSession(stateDir, session.id)).toMatchObject({ state: 'ended', exitCode: 7, journal: { lines: 0 } })
  expect(readdirSync(runningDir(stateDir))).toEqual([])
})

test('a state folder that was open to others is closed', async () => {
  const stateDir = makeStateDir()
  mkdirSync(stateDir)
  chmodSync(stateDir, 0o777)
  await (await newSession(stateDir)).close(0)
  expect(mode(stateDir)).toBe(0o700)
})

test('a state folder that cannot be made, and a name that is none, are failures', async () => {
  await expect(newSession('/dev/null/state')).rejects.toMatchObject({ code: 'session/state-unwritable' })
  await expect(newSession(makeStateDir(), { name: '\u001b[31m' })).rejects.toMatchObject({ code: 'session/bad-name' })
})

test('a state folder of somebody else is refused', async () => {
  const stateDir = makeStateDir()
  mkdirSync(stateDir)
  // As root it is given away; an ordinary user takes root's.
  const root = process.getuid?.() === 0
  if (root) chownSync(stateDir, 1500, 1500)
  const outcome = newSession(root ? stateDir : '/usr')
  await expect(outcome).rejects.toMatchObject({ code: root ? 'session/state-unsafe' : 'session/state-unwritable' })
})

test('a listener that throws does not reach the caller, and is told once', async () => {
  const seen: string[] = []
  const session = await newSession(makeStateDir(), {
    onEvent: (event) => {
      seen.push(event.kind)
      throw new Error('listener')
    },
  })
  for (let index = 0; index < 3; index += 1) session.emit({ kind: 'wall.checked', probes: 1, milliseconds: 1 })
  await session.close(0)
  expect(seen).toHaveLength(3)
  expect(findSession(path.dirname(path.dirname(session.folder)), session.id).journal?.lines).toBe(4)
})

test('sessions at once keep apart', async () => {
  const stateDir = makeStateDir()
  const sessions = await Promise.all(Array.from({ length: 20 }, () => newSession(stateDir)))
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(20)
  for (let round = 0; round < 10; round += 1)
    for (const [index, { emit }] of sessions.entries()) emit({ kind: 'warning', code: `${index}`, message: `${round}` })
  await Promise.all(sessions.map(({ close }, index) => close(index)))
  for (const [index, { id }] of sessions.entries()) {
    const record = findSession(stateDir, id)
    expect(record.exitCode).toBe(index)
    expect(verifyJournal(record)).toMatchObject({ ok: true, lines: 10 })
  }
})

test('opening is quick', async () => {
  const stateDir = makeStateDir()
  const times: number[] = []
  for (let index = 0; index < 30; index += 1) {
    const before = process.cpuUsage()
    const session = await newSession(stateDir)
    const spent = process.cpuUsage(before)
    times.push(spent.user + spent.system)
    await session.close(0)
  }
  // Processor time in microseconds; the median, so that a busy machine doesn't count.
  expect(times.sort((a, b) => a - b)[15]).toBeLessThan(3_000)
})

test('damaged records are listed as damaged; the others stay', async () => {
  const stateDir = makeStateDir()
  const good = await newSession(stateDir)
  await good.close(0)
  const damages: readonly ((folder: string) => void)[] = [
    (folder) => truncateSync(recordFile(folder)),
    (folder) => writeFileSync(recordFile(folder), '{"id":1}'),
    (folder) => writeFileSync(recordFile(folder), JSON.stringify({ ...good.record })),
    (folder) => writeFileSync(recordFile(folder), '[]'),
    (folder) => writeFileSync(recordFile(folder), 'x'.repeat(300_000)),
  ]
  for (const damage of damages) {
    const session = await newSession(stateDir)
    await session.close(0)
    damage(session.folder)
  }
  symlinkSync('/', sessionFolder(stateDir, '20200101-000000-link'))
  mkdirSync(sessionFolder(stateDir, '20200101-000000-none'))
  writeFileSync(path.join(stateDir, 'sessions', 'unrelated'), '')
  const listed = listSessions(stateDir)
  expect(listed.filter(({ kind }) => kind === 'damaged')).toHaveLength(7)
  expect(listed.filter(({ kind }) => kind === 'session')).toHaveLength(1)
  expect(findSession(stateDir).id).toBe(good.id)
  expect(() => findSession(stateDir, '20200101-000000-none')).toThrow(/cannot be read/)
  expect(() => findSession(stateDir, '20200101')).toThrow(/any of 2 sessions/)
  expect(() => findSession(stateDir, '../..')).toThrow(/No session/)
})

test('no state folder is no session', () => {
  expect(listSessions('/nonexistent/anchorhold')).toEqual([])
  expect(() => findSession('/nonexistent/anchorhold')).toThrow(/There is no session/)
})

test('prune removes what is old, keeps what runs and what holds files', async () => {
  const stateDir = makeStateDir()
  const [running, old, holding] = [await newSession(stateDir), await newSession(stateDir), await newSession(stateDir)]
  await old.close(0)
  await holding.close(0)
  mkdirSync(path.join(holding.folder, 'quarantine'))
  writeFileSync(path.join(holding.folder, 'quarantine', 'file'), 'precious')
  const later = new Date(Date.now() + 1_000)
  expect(await pruneSessions({ stateDir, before: new Date(0) })).toEqual({ removed: [], kept: [] })
  expect((await pruneSessions({ stateDir, before: later, dryRun: true })).removed).toEqual([old.id])
  expect(existsSync(old.folder)).toBe(true)
  expect(await pruneSessions({ stateDir, before: later })).toMatchObject({ removed: [old.id], kept: [{ id: holding.id }] })
  expect([existsSync(old.folder), existsSync(holding.folder), existsSync(running.folder)]).toEqual([false, true, true])
  // Put back by the user: only the quarantine's list is left.
  renameSync(path.join(holding.folder, 'quarantine', 'file'), path.join(holding.folder, 'quarantine', 'list.jsonl'))
  expect((await pruneSessions({ stateDir, before: later })).removed).toEqual([holding.id])
  await running.close(0)
})

test('following sees every line, also those written later, and ends with the session', async () => {
  const stateDir = makeStateDir()
  const session = await newSession(stateDir)
  const say = (message: string) => session.emit({ kind: 'warning', code: 'test', message })
  say('0')
  const seen: string[] = []
  const signal = AbortSignal.timeout(30_000)
  for await (const read of followJournal(session.record, { signal, every: 5 })) {
    if (read.kind === 'line' && read.line.event.kind === 'warning') seen.push(read.line.event.message)
    if (seen.length < 5) say(`${seen.length}`)
    else await session.close(0)
  }
  expect(seen).toEqual(['0', '1', '2', '3', '4'])
})
