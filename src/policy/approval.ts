// Policy: approvals of project policies that widen, one small file each under the state folder. Written by `anchorhold trust`, read by load.ts.
import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { readOwnRecord, writeOwnRecord } from '../host/own-record.ts'

export interface Approval {
  /** Real path of the project's policy file. */
  readonly file: string
  /** sha-256 (hex) of the content that was approved; any other content is not. */
  readonly digest: string
  /** ISO 8601. */
  readonly approvedAt: string
}

/** Whether exactly this content of this file was approved. A record that is not the user's own, or can't be read, approves nothing. */
export async function isApproved(stateDir: string, file: string, digest: string): Promise<boolean> {
  const approval = await readApproval(recordPath(stateDir, file))
  return approval !== undefined && approval.file === file && approval.digest === digest
}

/** Records an approval (0600 in a 0700 folder), replacing an older one of the same file at once. */
export async function approve(stateDir: string, file: string, digest: string, now: Date): Promise<Approval> {
  const approval: Approval = { file, digest, approvedAt: now.toISOString() }
  await writeOwnRecord(recordPath(stateDir, file), approval)
  return approval
}

/** Takes an approval back; false where there was none. */
export async function revoke(stateDir: string, file: string): Promise<boolean> {
  const known = (await readApproval(recordPath(stateDir, file))) !== undefined
  await rm(recordPath(stateDir, file), { force: true })
  return known
}

/** All approvals, by file. */
export async function listApprovals(stateDir: string): Promise<readonly Approval[]> {
  const folder = path.join(stateDir, 'trust')
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const found = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => readApproval(path.join(folder, name))))
  return found.filter((approval) => approval !== undefined).sort((a, b) => (a.file < b.file ? -1 : 1))
}

function recordPath(stateDir: string, file: string): string {
  return path.join(stateDir, 'trust', `${createHash('sha256').update(file).digest('hex')}.json`)
}

async function readApproval(record: string): Promise<Approval | undefined> {
  const value = await readOwnRecord(record)
  return isApproval(value) ? value : undefined
}

function isApproval(value: unknown): value is Approval {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Partial<Record<string, unknown>>
  return ['file', 'digest', 'approvedAt'].every((key) => typeof record[key] === 'string')
}
