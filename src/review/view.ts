// The copy-on-write view of one run: folders for what it changes, the mounts that take the place of the real folders, the proposal's record.
// Before it: the session is open. After the cell's end close() settles (settle.ts); diff and apply go on from there.
import { chmodSync, lstatSync, mkdirSync, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { isWithin } from '../host/paths.ts'
import type { Cell } from '../model/engine.ts'
import type { Emit } from '../model/events.ts'
import type { Mount, Preflight } from '../model/plan.ts'
import { findOutsideGit } from '../workspace/git-outside.ts'
import type { Known } from '../secrets/scan/finding.ts'
import { copyRoots, reserveOf } from './copy.ts'
import { watchDisk } from './disk.ts'
import type { FoundProposal } from './find.ts'
import { proposalFolder } from './folders.ts'
import { holdProposal } from './lock.ts'
import { choosePlace, innerMounts } from './places.ts'
import type { Proposal, ProposalRoot } from './proposal.ts'
import { readProposal, writeProposal } from './record.ts'
import { nowNs, settleProposal, type Settled } from './settle.ts'

/** The kernel's clock for files is behind by up to a tick (10 ms). */
const clockSlack = 20

export interface ViewInput {
  readonly stateDir: string
  readonly dataDir: string
  readonly session: { readonly id: string; readonly folder: string }
  readonly project: string
  /** The policy's writable mounts. */
  readonly mounts: readonly string[]
  readonly continued?: FoundProposal
  /** Bytes. */
  readonly disk: number | undefined
  /** Nothing will run: no copy is made. */
  readonly dryRun: boolean
  readonly emit: Emit
  readonly signal: AbortSignal
  /** The user's own values, which are looked for at the end. */
  readonly mine: () => Promise<readonly Known[]>
}

export interface View {
  /** What lies in the place of the real folders. */
  readonly mounts: readonly Mount[]
  /** What the self-test of the run asks of them. */
  readonly checks: readonly Preflight[]
  /** Where what the cell writes really lies, and what stands before its paths when it is told of. */
  readonly written: readonly { readonly path: string; readonly label: string }[]
  /** Writes the record: from here on there is a proposal, also after a crash. */
  begin(hidden: readonly string[]): void
  /** From here on the disk is watched. */
  attach(cell: Pick<Cell, 'kill'>): void
  /** After the cell's end. Settles what began, and lets the proposal go. Idempotent. */
  close(): Promise<void>
}

/** @throws Failure `review/busy`, `review/no-room`, `review/too-large` */
export async function openView(input: ViewInput): Promise<View> {
  const began = performance.now()
  const startedNs = `${BigInt(nowNs()) - BigInt(clockSlack) * 1_000_000n}`
  const { session, continued, emit } = input
  const folder = continued?.folder ?? proposalFolder(session.folder)
  if (continued === undefined) mkdirSync(folder, { mode: 0o700 })
  using scope = new DisposableStack()
  scope.use(holdProposal(folder, continued?.proposal.id ?? session.id))
  const disk = statfsSync(folder)
  if (disk.bavail * disk.bsize < reserveOf(disk)) throw new Failure('review/no-room', { path: folder })
  const before = continued === undefined ? undefined : readProposal(folder)
  const shown = await shownFolders(input)
  const opened = before === undefined ? await makeRoots(input, folder, shown) : { ...before, view: before.kind, roots: before.roots }
  // What the agent did to the permissions of the folder itself would keep a further cell from starting in it.
  for (const { upper } of before?.roots ?? []) chmodSync(upper, (lstatSync(upper).mode & 0o7777) | 0o700)
  const proposal: Proposal = {
    version: 1,
    id: before?.id ?? session.id,
    project: input.project,
    created: before?.created ?? new Date().toISOString(),
    kind: opened.kind,
    ...(opened.because === undefined ? {} : { because: opened.because }),
    state: 'open',
    roots: opened.roots,
    runs: [...(before?.runs ?? []), { session: session.id, startedNs }],
    hidden: before?.hidden ?? [],
    ...(before?.changes === undefined ? {} : { changes: before.changes }),
  }
  emit({
    kind: 'review.opened',
    proposal: proposal.id,
    continued: before !== undefined,
    view: opened.view,
    ...(opened.because === undefined ? {} : { because: opened.because }),
    milliseconds: Math.round(performance.now() - began),
  })
  const inner = innerMounts(shown.map((root) => root.path)).map((point): Mount => ({ kind: 'bind', from: point, to: point, mode: 'ro' }))
  for (const { to } of inner)
    emit({ kind: 'warning', code: 'review/mount', message: `${to} is a file system of its own, and read-only inside: a review shows one.` })
  const held = scope.move()
  let begun = false
  let closing: Promise<void> | undefined
  return {
    mounts: [...proposal.roots.filter((root) => shown.some(({ path: real }) => real === root.path)).map(mountOf), ...inner],
    checks: shown.map(({ path: real }) => ({ kind: 'apart', path: real, identity: identityOf(real) })),
    written: proposal.roots.map((root) => ({ path: root.upper, label: root.purpose === 'project' ? '' : root.path })),
    begin(hidden) {
      writeProposal(folder, { ...proposal, hidden: [...new Set([...proposal.hidden, ...hidden])].toSorted() })
      begun = true
    },
    attach(cell) {
      const folders = proposal.roots.flatMap(({ upper, work }) => [upper, ...(work === undefined ? [] : [work])])
      held.use(watchDisk({ folders, limit: input.disk, cell }))
    },
    close: () =>
      (closing ??= (async () => {
        using _held = held
        for (const { work } of proposal.roots) if (work !== undefined) openUp(work)
        const written = begun ? readProposal(folder) : undefined
        if (written === undefined) return
        const settled = await settleProposal(written, folder)
        emit({ kind: 'review.ended', proposal: settled.proposal.id, ...(await countOf(settled, folder, input.mine)) })
      })()),
  }
}

/** By content, git's own record left out, as diff counts them; kept in the record. */
async function countOf(
  settled: Settled,
  folder: string,
  mine: ViewInput['mine'],
): Promise<{ readonly changes: number; readonly eyes: number }> {
  if (settled.proposal.changes === 0) return { changes: 0, eyes: 0 }
  const { countChanges } = await import('./open-review.ts')
  const counts = await countChanges(settled, folder, await mine())
  writeProposal(folder, { ...settled.proposal, changes: counts.waiting })
  return { changes: counts.changes, eyes: counts.eyes }
}

/** The project, its git-dir where that lies elsewhere, and the writable mounts that are folders and don't lie in one of these. */
async function shownFolders({ project, mounts }: ViewInput): Promise<readonly Pick<ProposalRoot, 'path' | 'purpose'>[]> {
  const outside = await findOutsideGit(project, [], false)
  const folders: Pick<ProposalRoot, 'path' | 'purpose'>[] = [{ path: project, purpose: 'project' }]
  if (outside.kind === 'linked' && !isWithin(outside.common, project)) folders.push({ path: outside.common, purpose: 'git' })
  for (const mount of mounts)
    if (statSync(mount).isDirectory() && !folders.some(({ path: real }) => isWithin(mount, real) || isWithin(real, mount)))
      folders.push({ path: mount, purpose: 'mount' })
  return folders
}

type Made = Pick<Proposal, 'kind' | 'because' | 'roots'> & { readonly view: 'overlay' | 'reflink' | 'copy' }

async function makeRoots(input: ViewInput, folder: string, shown: readonly Pick<ProposalRoot, 'path' | 'purpose'>[]): Promise<Made> {
  const { stateDir, dataDir, session } = input
  const place = await choosePlace({ stateDir, dataDir, lowers: shown.map((root) => root.path) })
  const home =
    place.kind === 'copy' || place.place === stateDir ? path.join(folder, 'roots') : path.join(place.place, 'proposals', session.id)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const roots = shown.map((root, number): ProposalRoot => {
    const at = (name: string) => {
      const made = path.join(home, String(number), name)
      mkdirSync(made, { recursive: true, mode: 0o700 })
      return made
    }
    const upper = at('upper')
    // What the cell sees as the folder's own permissions.
    chmodSync(upper, (statSync(root.path).mode & 0o7777) | 0o700)
    return { ...root, upper, ...(place.kind === 'copy' ? {} : { work: at('work'), view: at('view') }) }
  })
  if (place.kind === 'overlay') return { kind: 'overlay', view: 'overlay', roots }
  const { emit, signal } = input
  if (input.dryRun) return { kind: 'copy', view: 'copy', because: place.because, roots }
  const view = await copyRoots({ roots, folder, limit: input.disk ?? Infinity, emit, signal })
  return { kind: 'copy', view, because: place.because, roots }
}

function identityOf(folder: string): string {
  const { dev, ino } = statSync(folder, { bigint: true })
  return `${dev}:${ino}`
}

/** overlayfs leaves a folder that even its owner can't look into, so that `rm -r` would fail. */
function openUp(work: string): void {
  const inner = path.join(work, 'work')
  if (lstatSync(inner, { throwIfNoEntry: false })?.isDirectory() === true) chmodSync(inner, 0o700)
}

function mountOf({ path: real, upper, work, view }: ProposalRoot): Mount {
  return work === undefined || view === undefined
    ? { kind: 'bind', from: upper, to: real, mode: 'rw' }
    : { kind: 'overlay', lower: real, upper, work, place: view, to: real }
}
