// Reaps once: `node reap.fixture.ts STATEDIR`. Prints what it did as JSON; each engine call leaves one file as a witness.
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { reapSessions } from '../../src/session/reap.ts'
import { witnessEngine } from './witness-engine.ts'

const stateDir = process.argv[2] ?? ''
const reaped = await reapSessions({
  stateDir,
  engines: [witnessEngine((session) => writeFileSync(path.join(stateDir, `reaped-${session}-${randomUUID()}`), ''))],
  sweep: async ({ emit }) => emit({ kind: 'file.quarantined', path: '.vscode/tasks.json', rule: '.vscode', kept: '/kept', restore: 'anchorhold restore X .vscode/tasks.json' }),
})
process.stdout.write(JSON.stringify(reaped))
