// A state folder of its own for each test, and sessions in it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { openSession, type Session, type SessionInput } from '../../src/session/open.ts'

export function makeStateDir(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'anchorhold-state-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'anchorhold')
}

export function newSession(stateDir: string, more: Partial<SessionInput> = {}): Promise<Session> {
  const onBroken = (failure: Error) => {
    throw failure
  }
  return openSession({ stateDir, project: '/project', agent: 'command', engine: 'bubblewrap', onBroken, ...more })
}
