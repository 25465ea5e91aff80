// Where no overlay can be had: the project is copied, sharing blocks where the file system can, and what was copied is noted.
import { constants, statfsSync } from 'node:fs'
import { copyFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { spawn } from 'node:child_process'
import { Failure } from '../errors/failure.ts'
import { cleanEnv } from '../host/process.ts'
import type { Emit } from '../model/events.ts'
import { measureTrees, readTree } from './entries.ts'
import { proposalPlaces } from './folders.ts'
import type { ProposalRoot } from './proposal.ts'
import type { ManifestLine } from './upper.ts'

/** Bytes that stay free on a disk, whatever a review may use: 512 MiB, or a twentieth of a small one. */
export function reserveOf(disk: { readonly blocks: number; readonly bsize: number }): number {
  return Math.min(512 * 2 ** 20, (disk.blocks * disk.bsize) / 20)
}

const progressMilliseconds = 2000
/** Smaller copies are over before anybody has read that they are made. */
const noteworthy = 64 * 2 ** 20

export interface CopyInput {
  readonly roots: readonly ProposalRoot[]
  readonly folder: string
  readonly limit: number
  readonly emit: Emit
  readonly signal: AbortSignal
}

/**
 * Fills the roots' empty folders. Files that can't be read are missing in the copy.
 * @throws Failure `review/too-large`
 */
export async function copyRoots(input: CopyInput): Promise<'reflink' | 'copy'> {
  const shares = await canShare(input)
  const { bytes } = await measureTrees(input.roots.map((root) => root.path))
  const disk = statfsSync(input.folder)
  const free = disk.bavail * disk.bsize - reserveOf(disk)
  if (!shares && (bytes > input.limit || bytes > free))
    throw new Failure('review/too-large', {
      bytes: Math.ceil(bytes / 2 ** 20),
      room: Math.max(0, Math.floor(Math.min(input.limit, free) / 2 ** 20)),
    })
  const progress = setInterval(() => {
    void measureTrees(input.roots.map((root) => root.upper)).then((done) =>
      input.emit({ kind: 'review.copying', bytes: done.bytes, of: bytes }),
    )
  }, progressMilliseconds)
  if (!shares && bytes > noteworthy) input.emit({ kind: 'review.copying', bytes: 0, of: bytes })
  try {
    for (const root of input.roots) await copyTree(root, input)
  } finally {
    clearInterval(progress)
  }
  await writeManifest(input)
  return shares ? 'reflink' : 'copy'
}

async function copyTree(root: ProposalRoot, { emit, signal }: CopyInput): Promise<void> {
  const args = ['-a', '--reflink=auto', '--one-file-system', '--', `${root.path}/.`, root.upper]
  const said = await new Promise<string>((resolve, reject) => {
    const child = spawn('/bin/cp', args, { env: cleanEnv(), cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], signal })
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(0, 8192)))
    child.on('error', reject)
    child.on('close', (code) => resolve(code === 0 ? '' : text.trim() || `exit code ${code}`))
  })
  if (said !== '')
    emit({ kind: 'warning', code: 'review/not-copied', message: `Not all of ${root.path} is in the copy: ${said.split('\n')[0] ?? ''}` })
}

async function writeManifest({ roots, folder }: CopyInput): Promise<void> {
  const lines: string[] = []
  for (const [root, { path: real, upper }] of roots.entries()) {
    const copies = new Map((await readTree(upper)).map((entry) => [entry.path, entry.facts]))
    for (const { path: place, facts } of await readTree(real)) {
      const copy = copies.get(place)
      if (copy === undefined) continue
      const line: ManifestLine = { root, path: place, facts, copy: { ino: copy.ino, ctimeNs: copy.ctimeNs } }
      lines.push(`${JSON.stringify(line)}\n`)
    }
  }
  await writeFile(proposalPlaces(folder).manifest, lines.join(''), { mode: 0o600 })
}

/** Asked with a file of anchorhold's own beside the copy and the project's own file system. */
async function canShare({ roots, folder }: CopyInput): Promise<boolean> {
  const target = path.join(folder, '.share')
  const [sample] = (await readTree(roots[0]?.path ?? '/')).filter((entry) => entry.facts.type === 'f' && entry.facts.size > 0)
  if (sample === undefined) return false
  const shared = await copyFile(path.join(roots[0]?.path ?? '/', sample.path), target, constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    () => false,
  )
  await rm(target, { force: true })
  return shared
}
