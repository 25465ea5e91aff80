// The journal: whatever is changed in it is found, whatever floods it stays bounded, whatever breaks it ends the run.
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { SessionEvent } from '../../src/model/events.ts'
import type { SessionRecord } from '../../src/model/session.ts'
import { readJournal } from '../../src/session/follow.ts'
import { journalFile } from '../../src/session/folders.ts'
import { lineLimit, openJournal } from '../../src/session/journal.ts'
import { verifyJournal } from '../../src/session/verify.ts'
import { readRecord } from '../../src/session/record.ts'
import { makeStateDir, newSession } from './support.ts'

const refused = (host: string): SessionEvent => ({
  kind: 'network.refused',
  host,
  port: 443,
  how: 'tls',
  code: 'not-listed',
  reason: 'no rule names it',
})

async function written(lines: number): Promise<{ record: SessionRecord; file: string; bytes: Buffer }> {
  const session = await newSession(makeStateDir())
  for (let index = 0; index < lines; index += 1) session.emit({ kind: 'warning', code: 'test', message: `message ${index} \u00e9` })
  await session.close(0)
  const read = readRecord(session.folder)
  if (!read.ok) throw new Error(read.reason)
  const file = journalFile(session.folder)
  return { record: read.record, file, bytes: readFileSync(file) }
}

test('an untouched journal verifies, with and without its recorded end', async () => {
  const { record } = await written(6)
  const { journal: _end, ...open } = record
  expect(verifyJournal(record)).toMatchObject({ ok: true, lines: 6, torn: false })
  expect(verifyJournal(open)).toMatchObject({ ok: true, lines: 6, torn: false })
})

test('every change of a single byte is found', async () => {
  const { record, file, bytes } = await written(6)
  const { journal: _end, ...open } = record
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Buffer.from(bytes)
      changed[at] = ((changed[at] ?? 0) + by) % 256
      writeFileSync(file, changed)
      const found = verifyJournal(record)
      expect(found.ok).toBe(false)
      // Also without the recorded end; there, a changed last line feed reads as a torn line.
      const later = verifyJournal(open)
      expect(later.ok && !later.torn).toBe(false)
    }),
    { numRuns: 400 },
  )
})

test('lines dropped, doubled, swapped, added or cut are found', async () => {
  const { record, file, bytes } = await written(6)
  const lines = bytes.toString().trimEnd().split('\n')
  fc.assert(
    fc.property(fc.constantFrom('drop', 'double', 'swap', 'cut', 'torn'), fc.nat(5), fc.nat(5), (how, a, b) => {
      const changed = [...lines]
      if (how === 'drop') changed.splice(a, 1)
      if (how === 'double') changed.splice(b, 0, lines[a] ?? '')
      if (how === 'swap') [changed[a], changed[b]] = [lines[b] ?? '', lines[a] ?? '']
      if (how === 'cut') changed.splice(a)
      const content = changed.map((line) => `${line}\n`).join('')
      writeFileSync(file, how === 'torn' ? content.slice(0, -1 - b) : content)
      expect(verifyJournal(record).ok).toBe(how === 'swap' && a === b)
    }),
    { numRuns: 200 },
  )
  writeFileSync(file, bytes)
  expect(verifyJournal(record).ok).toBe(true)
})

test('a journal of one session is none of another', async () => {
  const [one, two] = [await written(3), await written(3)]
  writeFileSync(one.file, two.bytes)
  expect(verifyJournal(one.record)).toMatchObject({ ok: false, line: 1 })
})

test('100,000 events of a hostile cell stay within the cap, and the end is still told', async () => {
  const cap = 2 * 2 ** 20
  const session = await newSession(makeStateDir(), { journalCap: cap })
  for (let index = 0; index < 50_000; index += 1) session.emit(refused(`h${index % 7_000}.test`))
  for (let index = 0; index < 50_000; index += 1) session.emit({ kind: 'warning', code: 'flood', message: 'x'.repeat(100) })
  session.emit({ kind: 'session.ended', end: { kind: 'exited', code: 0 }, exitCode: 0, milliseconds: 1 })
  await session.close(0)
  expect(statSync(journalFile(session.folder)).size).toBeLessThanOrEqual(cap)
  const kinds = [...readJournal(session.folder)].map((read) => (read.kind === 'line' ? read.line.event.kind : 'unreadable'))
  expect(kinds.filter((kind) => kind === 'journal.full')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'session.ended')).toHaveLength(1)
  const read = readRecord(session.folder)
  expect(read.ok && verifyJournal(read.record).ok).toBe(true)
})

test('one host asked for 100,000 times takes few lines, and no count is lost', async () => {
  const session = await newSession(makeStateDir())
  for (let index = 0; index < 100_000; index += 1) session.emit(refused('evil.test'))
  await session.close(0)
  const events = [...readJournal(session.folder)].flatMap((read) => (read.kind === 'line' ? [read.line.event] : []))
  expect(events.length).toBeLessThan(150)
  const total = events.reduce((sum, event) => sum + (event.kind === 'network.repeated' ? event.count : 1), 0)
  expect(total).toBe(100_000)
  expect([...session.state.refused.values()].map(({ count }) => count)).toEqual([100_000])
})

test('a refusal of another kind is written in full, however many of one kind there were before', async () => {
  const session = await newSession(makeStateDir())
  for (let index = 0; index < 1_000; index += 1) session.emit(refused('evil.test'))
  session.emit({ kind: 'network.refused', host: 'evil.test', port: 443, how: 'http', code: 'foreign-credential', reason: 'not your key' })
  await session.close(0)
  const events = [...readJournal(session.folder)].flatMap((read) => (read.kind === 'line' ? [read.line.event] : []))
  expect(events.filter((event) => event.kind === 'network.refused' && event.code === 'foreign-credential')).toHaveLength(1)
  expect([...session.state.refused.values()].map(({ code, count }) => [code, count])).toEqual([
    [expect.not.stringContaining('foreign'), 1_000],
    ['foreign-credential', 1],
  ])
})

test('any event fits its line, and the chain holds', async () => {
  const session = await newSession(makeStateDir())
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40_000 }),
      fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 600 }),
      (message, paths) => {
        session.emit({ kind: 'warning', code: 'test', message })
        session.emit({ kind: 'files.hidden', paths })
        session.emit({ kind: 'warning', code: 'test', message: message.repeat(20) })
      },
    ),
    { numRuns: 40 },
  )
  await session.close(0)
  const lines = readFileSync(journalFile(session.folder), 'utf8').split('\n')
  expect(Math.max(...lines.map((line) => Buffer.byteLength(line) + 1))).toBeLessThanOrEqual(lineLimit)
  const read = readRecord(session.folder)
  expect(read.ok && verifyJournal(read.record)).toMatchObject({ ok: true, lines: 120 })
})

test('a credential in an event is not kept', async () => {
  const session = await newSession(makeStateDir())
  session.emit({ kind: 'warning', code: 'test', message: 'https://me:hunter2@host.test/?token=abcdef and sk-ant-0123456789abcdefgh' })
  await session.close(0)
  const text = readFileSync(journalFile(session.folder), 'utf8')
  for (const secret of ['hunter2', 'abcdef', 'sk-ant']) expect(text).not.toContain(secret)
  expect(text).toContain('host.test')
})

test('a journal that cannot be written tells once and throws nothing', () => {
  const broken: Error[] = []
  // Every write to /dev/full fails with ENOSPC.
  const journal = openJournal({
    file: '/dev/full',
    session: 's',
    after: { lines: 0, hash: '', bytes: 0 },
    onBroken: (error) => void broken.push(error),
  })
  onTestFinished(() => void journal.close())
  journal.append({ kind: 'warning', code: 'test', message: 'one' })
  journal.append({ kind: 'warning', code: 'test', message: 'two' })
  expect(broken.map((error) => error.message)).toEqual([expect.stringContaining('ENOSPC')])
})

test('a link in the place of a journal is not followed', async () => {
  const session = await newSession(makeStateDir())
  await session.close(0)
  const link = path.join(session.folder, 'link')
  symlinkSync('/dev/null', link)
  expect(() => openJournal({ file: link, session: 's', after: { lines: 0, hash: '', bytes: 0 }, onBroken: () => undefined })).toThrow(
    /ELOOP/,
  )
})
