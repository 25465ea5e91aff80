// Runs native/upper.c, which reads the attributes that Node can't, and reads what it says. Neighbours: upper.ts asks what changed in it.
import { spawn, spawnSync } from 'node:child_process'
import { Failure } from '../errors/failure.ts'
import { nativePath } from '../host/paths.ts'
import { capture } from '../host/process.ts'
import { bytesOf, pathOf } from '../workspace/path-bytes.ts'
import type { NodeFacts, NodeType } from './proposal.ts'

/** One entry of a folder's tree; parents first, else in no order. */
export interface TreeEntry {
  /** Relative to the folder; '' is the folder itself. */
  readonly path: string
  readonly facts: NodeFacts
  readonly whiteout: boolean
  readonly opaque: boolean
  readonly bytes: number
  readonly attributes: readonly string[]
}

/**
 * Everything below a folder of this machine, links not followed.
 * @param original of attributes only those are told that are not there too, at the same path and with the same value
 * @throws Failure `review/unreadable`
 */
export async function readTree(folder: string, original?: string): Promise<readonly TreeEntry[]> {
  const { code, stdout, stderr } = await output(['list', folder, ...(original === undefined ? [] : [original])])
  if (code !== 0) throw new Failure('review/unreadable', { path: folder, reason: stderr.trim().split('\n')[0] ?? `exit code ${code}` })
  const entries: TreeEntry[] = []
  for (let at = 0; at < stdout.length;) {
    const fields: Buffer[] = []
    for (let field = 0; field < 4; field++) {
      const end = stdout.indexOf(0, at)
      fields.push(stdout.subarray(at, end))
      at = end + 1
    }
    const [head, path, target, attributes] = fields
    if (head === undefined || path === undefined || target === undefined || attributes === undefined) break
    entries.push(entryOf(head.toString('latin1'), pathOf(path), pathOf(target), attributes.toString('utf8')))
  }
  return entries
}

function entryOf(head: string, path: string, target: string, attributes: string): TreeEntry {
  const [flags = '', mode = '', uid, gid, size, mtimeNs = '', ctimeNs = '', ino = '', dev = '', nlink, bytes] = head.split(' ')
  const type = flags.charAt(0) as NodeType
  return {
    path,
    facts: {
      type,
      mode: Number.parseInt(mode, 8),
      uid: Number(uid),
      gid: Number(gid),
      size: Number(size),
      mtimeNs,
      ctimeNs,
      ino,
      dev,
      nlink: Number(nlink),
      ...(type === 'l' ? { target } : {}),
    },
    whiteout: flags.charAt(1) === 'w',
    opaque: flags.charAt(2) === 'o',
    bytes: Number(bytes),
    attributes: attributes === '' ? [] : attributes.split(' '),
  }
}

/** Bytes on disk and number of entries below folders; those that are not there count nothing. */
export async function measureTrees(folders: readonly string[]): Promise<{ readonly bytes: number; readonly entries: number }> {
  const { stdout } = await capture([nativePath('anchorhold-upper'), 'measure', ...folders], { timeoutMilliseconds: 600_000 })
  const [bytes, entries] = stdout.trim().split(' ').map(Number)
  return { bytes: bytes ?? 0, entries: entries ?? 0 }
}

/** Removes a folder that a cell wrote to, whatever permissions it left. @throws Failure `review/unreadable` */
export async function removeTree(folder: string): Promise<void> {
  const { code, stderr } = await capture([nativePath('anchorhold-upper'), 'remove', folder], { timeoutMilliseconds: 600_000 })
  if (code !== 0) throw new Failure('review/unreadable', { path: folder, reason: stderr.trim().split('\n')[0] ?? `exit code ${code}` })
}

/** `path` below `folder`, through no link, to the file `to`. */
export interface Carried {
  readonly folder: string
  readonly path: string
  readonly to: string
}

/**
 * Gives files the extended attributes (`user.*`) and the access list that others have, which Node can't.
 * @returns for each, whether there were any; undefined where not all could be had
 */
export function carryAttributes(orders: readonly Carried[]): readonly (boolean | undefined)[] {
  if (orders.length === 0) return []
  const input = Buffer.concat(
    orders.flatMap(({ folder, path, to }) => [folder, path, to].flatMap((word) => [bytesOf(word), Buffer.from([0])])),
  )
  const { stdout } = spawnSync(nativePath('anchorhold-upper'), ['attributes'], { input, env: {}, cwd: '/', maxBuffer: orders.length + 1 })
  const answers = stdout?.toString('latin1') ?? ''
  return orders.map((_, index) => (answers[index] === '1' ? true : answers[index] === '0' ? false : undefined))
}

/** Returns when all that was written to the file systems of these folders is on their disks. @throws Failure `review/unreadable` */
export function syncSystems(folders: readonly string[]): void {
  const { status, stderr } = spawnSync(nativePath('anchorhold-upper'), ['sync', ...folders], { env: {}, cwd: '/' })
  if (status !== 0)
    throw new Failure('review/unreadable', { path: folders[0] ?? '', reason: stderr?.toString().trim() ?? 'it was not synced' })
}

/** Unlike host/process.ts unbounded: a whole copy has as many lines as the project has files. */
function output(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(nativePath('anchorhold-upper'), args, { env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(0, 8192)))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 125, stdout: Buffer.concat(chunks), stderr }))
  })
}
