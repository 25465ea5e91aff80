// What was exchanged between judgement and move goes back; everything else is kept and told.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { SessionEvent } from '../../src/model/events.ts'
import { openQuarantine } from '../../src/workspace/quarantine.ts'
import { startScout } from '../../src/workspace/scout.ts'

test.each([
  { what: 'the original', original: true },
  { what: 'a planted file', original: false },
])('FS-07 $what at a judged place', async ({ original }) => {
  const top = mkdtempSync(path.join(tmpdir(), 'ah-quarantine-'))
  onTestFinished(() => rmSync(top, { recursive: true, force: true }))
  const project = path.join(top, 'project')
  const sessionFolder = path.join(top, 'sessions', 'one')
  for (const folder of [path.join(project, 'a'), sessionFolder]) mkdirSync(folder, { recursive: true })
  const file = path.join(project, 'a/.envrc')
  writeFileSync(file, 'what lies there')
  const { ino } = statSync(file)
  await using scout = startScout({ roots: [{ path: project }], patterns: [], mode: 'commands' })
  await scout.first
  const events: SessionEvent[] = []
  const quarantine = openQuarantine({ sessionFolder, project, scout, emit: (event) => events.push(event) })
  const kept = await quarantine.take(project, 'a/.envrc', 'direnv', async (place) => original && statSync(place).ino === ino)
  expect(existsSync(file)).toBe(original)
  expect(events.map((event) => event.kind)).toEqual(original ? [] : ['file.quarantined'])
  expect(kept === undefined ? undefined : readFileSync(kept, 'utf8')).toBe(original ? undefined : 'what lies there')
  if (original) expect(statSync(file).ino).toBe(ino)
})
