// A net below live runs: while the agent starts, the state of the project is noted in a git-dir of anchorhold's own, so that `diff` and `undo`
// know it later (remembered.ts). What git has as it is costs nothing; small files beside that are copied. Nothing of the project is written.
import { lstatSync, rmSync } from 'node:fs'
import path from 'node:path'
import { mkdir, writeFile } from '../host/at-once.ts'
import { findOutsideGit } from '../workspace/git-outside.ts'
import { bytesOf } from '../workspace/path-bytes.ts'
import { factsNow } from './base.ts'
import { memoryName, type Memory } from './memory.ts'
import { makePrivateGit, parseTags, privateGit, type ProjectGit, type Tagged } from './private-git.ts'
import { nowNs } from './settle.ts'

/** Of files that git does not have as they are. */
const most = { files: 5_000, each: 4 * 2 ** 20, all: 64 * 2 ** 20 }
/** Where more were not noted, nothing is remembered: the names alone would be too much. */
const mostNamed = 20_000
/** How long the end of a run waits for a net that is not ready. */
const patience = 5
/** Files that are looked at before the gateway gets its turn: less than a millisecond. */
const atOnce = 100
const clockSlack = 20_000_000n

export interface Net {
  /** At the end of the run: writes what is remembered. Never rejects. */
  close(): Promise<void>
}

/** What is noted at the start; memory.json is made of it. */
interface Noted {
  readonly how: readonly string[]
  readonly gaps: readonly string[]
  /** Changed while they were noted: what they were is not known. */
  readonly lost: readonly string[]
}

export function startNet(input: { readonly project: string; readonly session: string; readonly sessionFolder: string }): Net {
  const folder = path.join(input.sessionFolder, memoryName)
  const startedNs = BigInt(nowNs()) - clockSlack
  const stop = new AbortController()
  const noting = note(input.project, folder, startedNs, stop.signal).catch((error: unknown): Noted => ({
    how: [],
    gaps: [failureText(error, stop.signal.aborted)],
    lost: [],
  }))
  let closing: Promise<void> | undefined
  const close = async () => {
    const timer = setTimeout(() => stop.abort(), patience)
    const noted = await noting
    clearTimeout(timer)
    const memory: Memory = {
      version: 1,
      session: input.session,
      project: input.project,
      startedNs: String(startedNs),
      endedNs: nowNs(),
      ...noted,
    }
    if (noted.how.length === 0) rmSync(path.join(folder, 'git'), { recursive: true, force: true })
    // A run whose folder is gone has nothing to remember.
    await writeFile(path.join(folder, 'memory.json'), JSON.stringify(memory), { mode: 0o600 }).catch(() => undefined)
  }
  return { close: () => (closing ??= close()) }
}

function failureText(error: unknown, aborted: boolean): string {
  if (aborted) return 'the run was over before the project had been noted'
  return `the project could not be noted: ${error instanceof Error ? error.message : String(error)}`
}

async function note(project: string, folder: string, startedNs: bigint, signal: AbortSignal): Promise<Noted> {
  await mkdir(folder, { mode: 0o700 })
  const gitFolder = path.join(folder, 'git')
  const own = await gitOf(project)
  await makePrivateGit(gitFolder, own)
  const git = privateGit(gitFolder, project, signal)
  const listed = parseTags(await git.run(['ls-files', '-z', '-t', '-m', '-d', '-o', '--exclude-standard']))
  const { take, gone, lost, gaps } = await choose(project, listed, startedNs, signal)
  const paths = Buffer.concat([...take, ...gone].flatMap((place) => [bytesOf(place), Buffer.from([0])]))
  if (paths.length > 0) await git.run(['update-index', '--add', '--remove', '-z', '--stdin'], paths)
  for (const place of take) if (!unchangedSince(path.join(project, place), startedNs)) lost.push(place)
  const how = [
    ...(own === undefined ? [] : ["what git has as it is, from the repository's own objects"]),
    ...(take.length === 0 ? [] : [`copies of ${take.length} small files`]),
  ]
  gaps.push('files that .gitignore names', ...(own === undefined ? [] : ["git's own record: commits, branches, the index"]))
  return { how, gaps, lost }
}

interface Chosen {
  readonly take: readonly string[]
  /** Deleted by the user before the run. */
  readonly gone: readonly string[]
  readonly lost: string[]
  readonly gaps: string[]
}

/** Small files first come, first kept. */
async function choose(project: string, listed: readonly Tagged[], startedNs: bigint, signal: AbortSignal): Promise<Chosen> {
  if (listed.length > mostNamed) throw new Error(`${listed.length} files are not in git's index, or not as it has them`)
  const take: string[] = []
  const gone: string[] = []
  const lost: string[] = []
  const left: string[] = []
  const nested: string[] = []
  let bytes = 0
  let looked = 0
  for (const { tag, path: place } of listed) {
    if (tag === 'R') {
      gone.push(place)
      continue
    }
    if (place.endsWith('/')) {
      nested.push(place)
      continue
    }
    signal.throwIfAborted()
    if (take.length >= most.files) {
      left.push(place)
      continue
    }
    if (++looked % atOnce === 0) await new Promise((resolve) => setImmediate(resolve))
    const facts = factsNow(path.join(project, place))
    if (facts === undefined || (facts.type !== 'f' && facts.type !== 'l')) continue
    if (BigInt(facts.ctimeNs) >= startedNs) lost.push(place)
    else if (facts.size > most.each || bytes + facts.size > most.all) left.push(place)
    else {
      take.push(place)
      bytes += facts.size
    }
  }
  const gaps = [
    ...(left.length === 0 ? [] : [`${left.length} files that git does not have as they are, and that were too many or too large to copy`]),
    ...(nested.length === 0 ? [] : [`${nested.length} repositories in the project`]),
  ]
  return { take, gone, lost: [...lost, ...left, ...nested], gaps }
}

function unchangedSince(real: string, startedNs: bigint): boolean {
  const facts = factsNow(real)
  return facts !== undefined && BigInt(facts.ctimeNs) < startedNs
}

/** The project's own repository; undefined where it is none, or git would not be used there either. */
async function gitOf(project: string): Promise<ProjectGit | undefined> {
  const outside = await findOutsideGit(project, [], false)
  if (outside.kind === 'linked') return { gitDir: outside.gitDir, common: outside.common }
  const inner = path.join(project, '.git')
  return lstatSync(path.join(inner, 'index'), { throwIfNoEntry: false })?.isFile() === true ? { gitDir: inner, common: inner } : undefined
}
