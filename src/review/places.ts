// Where a proposal's changes are kept, and whether the kernel lays them over the project there. Tried once per pair of file systems, then
// remembered until the kernel changes. Neighbours: view.ts asks before a run, doctor for people.
import { lstatSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { isWithin, nativePath } from '../host/paths.ts'
import { capture } from '../host/process.ts'
import { removeTree } from './entries.ts'

/** `options`: what the kernel made of the mount. */
export type Answer = { readonly ok: true; readonly options?: string } | { readonly ok: false; readonly reason: string }

export interface PlaceInput {
  readonly stateDir: string
  readonly dataDir: string
  /** The folders to be shown copy-on-write. */
  readonly lowers: readonly string[]
}

/** `place`: a folder, 0700, on whose file system changes can lie. */
export type Place = { readonly kind: 'overlay'; readonly place: string } | { readonly kind: 'copy'; readonly because: string }

/** The first of the state folder, the data folder and /var/tmp that works for every one of the folders. */
export async function choosePlace(input: PlaceInput): Promise<Place> {
  const [inner] = innerMounts(input.lowers)
  // The kernel hides nothing of a mount from a user, and an overlay would (fs/namespace.c, has_locked_children).
  if (inner !== undefined) return { kind: 'copy', because: `${inner} is a file system of its own, and users can lay no overlay over that` }
  let because = ''
  for (const place of candidates(input)) {
    if (!own(place)) continue
    const answer = await tryAll(input, place)
    if (answer.ok) return { kind: 'overlay', place }
    because ||= answer.reason
  }
  return { kind: 'copy', because: because === '' ? 'no folder of your own was found to keep changes in' : because }
}

/** In the order in which they are tried. */
export function candidates({ stateDir, dataDir }: Pick<PlaceInput, 'stateDir' | 'dataDir'>): readonly string[] {
  return [stateDir, dataDir, path.join('/var/tmp', `anchorhold-${process.getuid?.() ?? 0}`)]
}

/** Where file systems are mounted somewhere below the folders. */
export function innerMounts(folders: readonly string[]): readonly string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => point.startsWith('/') && folders.some((folder) => point !== folder && isWithin(point, folder)))
  return [...new Set(points)].toSorted()
}

/** Made where it is missing; false for what belongs to somebody else, or is a link in a folder that everybody may write. */
function own(place: string): boolean {
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 })
    const stat = path.dirname(place) === '/var/tmp' ? lstatSync(place) : statSync(place)
    return (
      stat.isDirectory() &&
      stat.uid === (process.getuid?.() ?? stat.uid) &&
      (path.dirname(place) !== '/var/tmp' || (stat.mode & 0o077) === 0)
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

async function tryAll(input: PlaceInput, place: string): Promise<Answer> {
  for (const lower of input.lowers) {
    const answer = await remembered(path.join(input.stateDir, 'views.json'), place, lower)
    if (!answer.ok) return answer
  }
  return { ok: true }
}

/** A kernel, a user and a pair of file systems give the same answer until one of them changes. */
async function remembered(file: string, place: string, lower: string): Promise<Answer> {
  const key = [os.release(), process.getuid?.() ?? 0, statSync(place).dev, statSync(lower).dev].join(' ')
  const answers = readAnswers(file)
  const known = answers[key]
  if (known !== undefined) return known
  const answer = await tryView(place, lower)
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, JSON.stringify({ ...Object.fromEntries(Object.entries(answers).slice(-63)), [key]: answer }), { mode: 0o600 })
  renameSync(beside, file)
  return answer
}

function readAnswers(file: string): Readonly<Record<string, Answer>> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Answer>
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return {}
    throw error
  }
}

/** Mounts one in namespaces of its own and writes to it. */
export async function tryView(place: string, lower: string): Promise<Answer> {
  const folder = await mkdtemp(path.join(place, '.view-'))
  try {
    const parts = ['upper', 'work', 'view'].map((name) => path.join(folder, name))
    for (const part of parts) mkdirSync(part, { mode: 0o700 })
    const { code, stdout, stderr } = await capture([nativePath('anchorhold-cell'), '--check-view', lower, ...parts])
    return code === 0
      ? { ok: true, options: stdout.trim() }
      : {
          ok: false,
          reason:
            stderr
              .replace(/^anchorhold: /, '')
              .trim()
              .split('\n')[0] ?? `exit code ${code}`,
        }
  } finally {
    await removeTree(folder)
  }
}
