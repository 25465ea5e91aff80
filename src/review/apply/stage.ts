// Makes an apply ready: keeps what lies in the project and what shall lie there, checks that it is what was shown, and writes the journal.
// Until the last line nothing of the project is touched. Neighbours: judge.ts said what fits; perform.ts plays what is made here.
import * as fs from 'node:fs'
import { createHash, randomBytes } from 'node:crypto'
import path from 'node:path'
import { Failure } from '../../errors/failure.ts'
import type { Change, Side } from '../../model/change.ts'
import { baseKey } from '../base.ts'
import { openBelow, type Below } from '../below.ts'
import { carryAttributes, syncSystems, type Carried } from '../entries.ts'
import type { BaseEntry } from '../proposal.ts'
import type { Review } from '../open-review.ts'
import { blocksOf, sameSide, sideOf, type Tree } from '../tree.ts'
import { pause } from './pause.ts'
import { appliesFolder, syncFolder, together, writeApply, type ApplyRecord, type Operation, type State } from './record.ts'

export interface Chosen {
  readonly change: Change
  /** What shall lie there, where it is not what was proposed: some hunks, or a merge. Latin1. */
  readonly text?: string
  /** What lay there when the user said yes (of a rename: at its old place). Another thing there by now is left; not given: taken as it is. */
  readonly now?: { readonly side: Side | undefined }
}

export interface Staged {
  readonly folder: string
  readonly record: ApplyRecord
  /** What was changed since it was judged: no part of the record. */
  readonly left: readonly Change[]
}

/**
 * @param signal stops it. Nothing was touched then
 * @throws Failure apply/not-as-shown where the proposal is not what was shown; nothing was touched then; the signal's reason
 */
export async function stage(review: Review, chosen: readonly Chosen[], signal?: AbortSignal): Promise<Staged> {
  const base = appliesFolder(review.folder)
  fs.mkdirSync(base, { recursive: true, mode: 0o700 })
  const taken = fs.readdirSync(base).map(Number).filter(Number.isInteger)
  const number = Math.max(0, ...taken) + 1
  const folder = path.join(base, String(number))
  for (const name of ['', 'old', 'new']) fs.mkdirSync(path.join(folder, name), { mode: 0o700 })
  try {
    return await draftInto(folder, number, review, chosen, signal)
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

async function draftInto(
  folder: string,
  number: number,
  review: Review,
  chosen: readonly Chosen[],
  signal: AbortSignal | undefined,
): Promise<Staged> {
  using opened = new DisposableStack()
  const projects = review.proposal.roots.map(({ path: root }) => opened.use(openBelow(root)))
  const draft = new Draft(folder, review, projects, chosen.length < together)
  const left: Change[] = []
  for (const each of chosen) {
    await pause(signal)
    if (!draft.add(each)) left.push(each.change)
  }
  const operations = draft.withAttributes(draft.inOrder())
  if (chosen.length < together) for (const name of ['old', 'new', '']) syncFolder(path.join(folder, name))
  else syncSystems([folder])
  await pause(signal)
  const record: ApplyRecord = {
    version: 1,
    number,
    session: review.proposal.id,
    at: new Date().toISOString(),
    mark: randomBytes(6).toString('hex'),
    state: 'prepared',
    roots: review.proposal.roots.map(({ path: root }) => root),
    operations,
    base: draft.base(),
  }
  writeApply(folder, record)
  syncFolder(path.dirname(folder))
  return { folder, record, left }
}

type Draftable = Omit<Operation, 'number'>

class Draft {
  private readonly removals: Draftable[] = []
  private readonly additions = new Map<string, Draftable>()
  private readonly folders = new Map<string, Draftable>()
  private readonly touched = new Set<string>()
  private readonly carried: Carried[] = []
  private count = 0
  /** Each content on disk by itself; else the caller sees to it. */
  readonly durable: boolean
  readonly folder: string
  readonly review: Review
  readonly projects: readonly Below[]

  constructor(folder: string, review: Review, projects: readonly Below[], durable: boolean) {
    this.durable = durable
    this.folder = folder
    this.review = review
    this.projects = projects
  }

  /** False where it is no longer what it was judged by. */
  add({ change, text, now: judged }: Chosen): boolean {
    const { root, path: place, from, after } = change
    const project = this.projects[root]
    if (project === undefined) throw new Error(`no root ${root}`)
    project.forget()
    const side = sideOf(project, from ?? place)
    if (judged !== undefined && !(sameSide(side, judged.side) && (from === undefined || project.facts(place) === undefined))) return false
    const now = this.state(project, from ?? place, side, 'old')
    const target = this.proposed(change, side, text)
    for (const state of [now, target]) if (side?.kind === 'file') this.carry(root, from ?? place, state)
    if (from !== undefined) {
      this.removals.push({ root, path: from, before: now, after: { kind: 'absent' }, renamed: place })
      this.touch(root, from)
    }
    this.touch(root, place)
    const before: State = from === undefined ? now : { kind: 'absent' }
    if (after === undefined) {
      this.removals.push({ root, path: place, before, after: { kind: 'absent' } })
      return true
    }
    this.parents(change)
    if (before.kind !== 'absent' && (before.kind === 'folder') !== (target.kind === 'folder')) {
      this.removals.push({ root, path: place, before, after: { kind: 'absent' } })
      this.additions.set(`${root} ${place}`, { root, path: place, before: { kind: 'absent' }, after: target, ...linkOf(change) })
    } else if (target.kind === 'folder' && before.kind === 'absent')
      this.folders.set(`${root} ${place}`, { root, path: place, before, after: target })
    else
      this.additions.set(`${root} ${place}`, {
        root,
        path: place,
        before,
        after: target,
        ...linkOf(change),
        ...(from === undefined ? {} : { renamed: from }),
      })
    return true
  }

  /** Folders that the path needs and the project lacks, as the agent made them. Above one that is there, or is known, all are. */
  private parents({ root, path: place }: Change): void {
    const project = this.projects[root]
    const after = this.review.sidesOf({ root } as Change).after
    for (let at = place.lastIndexOf('/'); at > 0; at = place.lastIndexOf('/', at - 1)) {
      const parent = place.slice(0, at)
      const key = `${root} ${parent}`
      if (this.folders.has(key) || this.additions.has(key) || project?.facts(parent)?.type === 'd') return
      const mode = ((after.facts(parent)?.mode ?? 0o755) & 0o777) | 0o700 // as collect.ts has it
      this.folders.set(key, { root, path: parent, before: { kind: 'absent' }, after: { kind: 'folder', mode } })
    }
  }

  /** Deep ones first go, shallow ones first come. */
  inOrder(): readonly Operation[] {
    const depth = ({ path: place }: Draftable): number => place.split('/').length
    const additions = [...this.additions.values()]
    const order = [
      ...this.removals.toSorted((a, b) => depth(b) - depth(a)),
      ...[...this.folders.values()].toSorted((a, b) => depth(a) - depth(b)),
      ...additions.filter(({ linkTo }) => linkTo === undefined).toSorted((a, b) => depth(a) - depth(b)),
      ...additions.filter(({ linkTo }) => linkTo !== undefined),
    ]
    return order.map((each, index) => ({ number: index + 1, ...each }))
  }

  /** What was applied is the original from then on: only the rest stays proposed. */
  base(): ApplyRecord['base'] {
    const keys = [...new Set([...this.touched, ...this.inOrder().map(baseKey)])]
    const applies = path.relative(this.review.folder, this.folder)
    // What was not kept because the project still had it is kept from now on: after an undo it is another file.
    const kept = new Map(
      this.inOrder()
        .toReversed()
        .flatMap((each) => (each.before.kind === 'file' ? [[baseKey(each), each.before] as const] : [])),
    )
    const before = keys.flatMap((key): readonly BaseEntry[] => {
      const entry = this.review.base.get(key)
      if (entry === undefined) return []
      const old = kept.get(key)
      const sound = old !== undefined && entry.state === 'same' && entry.facts?.type === 'f' && entry.content === undefined
      return [sound ? { ...entry, content: path.join(applies, old.content) } : entry]
    })
    const last = new Map(this.inOrder().map((each) => [baseKey(each), each]))
    const after = keys.flatMap((key): readonly BaseEntry[] => {
      const operation = last.get(key)
      return operation === undefined ? [] : [baseOf(operation, applies)]
    })
    return { before, after, keys }
  }

  /** The user's own access lists and attributes stay with the content that is kept, and with what replaces it. */
  withAttributes(operations: readonly Operation[]): readonly Operation[] {
    const given = carryAttributes(this.carried)
    const contents = new Set(this.carried.flatMap(({ to }, index) => (given[index] === true ? [path.relative(this.folder, to)] : [])))
    const mark = (state: State): State => (state.kind === 'file' && contents.has(state.content) ? { ...state, attributes: true } : state)
    return operations.map((each) => ({ ...each, before: mark(each.before), after: mark(each.after) }))
  }

  private carry(root: number, place: string, state: State): void {
    const folder = this.review.proposal.roots[root]?.path ?? '/'
    if (state.kind === 'file') this.carried.push({ folder, path: place, to: path.join(this.folder, state.content) })
  }

  private touch(root: number, place: string): void {
    this.touched.add(baseKey({ root, path: place }))
  }

  private proposed(change: Change, now: Side | undefined, text: string | undefined): State {
    const { after: tree } = this.review.sidesOf(change)
    if (text !== undefined) {
      const content = this.write('new', Buffer.from(text, 'latin1'))
      const hash = createHash('sha256').update(text, 'latin1').digest('hex')
      return { kind: 'file', mode: modeOf(change, now), hash, content }
    }
    const side = change.after
    // The user's own content stays where only the mode is proposed.
    if (
      side?.kind === 'file' &&
      change.before?.kind === 'file' &&
      side.hash === change.before.hash &&
      now?.kind === 'file' &&
      now.hash !== side.hash
    )
      return {
        ...(this.state(this.projects[change.root] ?? tree, change.path, now, 'new') as Extract<State, { kind: 'file' }>),
        mode: side.mode & 0o777,
      }
    const state = this.state(tree, change.path, side, 'new')
    return state.kind === 'file' ? { ...state, mode: modeOf(change, now) } : state
  }

  /** Copies a file while its hash is taken: it must be the one that was looked at. */
  private state(tree: Tree, place: string, side: Side | undefined, into: 'old' | 'new'): State {
    if (side === undefined) return { kind: 'absent' }
    if (side.kind === 'link') return { kind: 'link', target: side.target }
    if (side.kind === 'folder') return { kind: 'folder', mode: side.mode & (into === 'new' ? 0o777 : 0o7777) }
    if (side.kind !== 'file') throw new Failure('apply/not-as-shown', { path: place })
    const hash = createHash('sha256')
    const content = this.write(
      into,
      tap(blocksOf(tree, place), (block) => hash.update(block)),
    )
    if (hash.digest('hex') !== side.hash) throw new Failure('apply/not-as-shown', { path: place })
    return { kind: 'file', mode: side.mode & (into === 'new' ? 0o777 : 0o7777), hash: side.hash, content }
  }

  private write(into: 'old' | 'new', content: Buffer | Iterable<Buffer>): string {
    const name = path.join(into, String((this.count += 1)))
    const fd = fs.openSync(path.join(this.folder, name), 'wx', 0o600)
    try {
      for (const block of Buffer.isBuffer(content) ? [content] : content)
        for (let at = 0; at < block.length;) at += fs.writeSync(fd, block, at)
      if (this.durable) fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    return name
  }
}

function* tap(blocks: Iterable<Buffer>, see: (block: Buffer) => void): Generator<Buffer> {
  for (const block of blocks) {
    see(block)
    yield block
  }
}

/** The proposed mode where it was proposed, else the one the user's file has. */
function modeOf({ before, after }: Change, now: Side | undefined): number {
  const proposed = after?.kind === 'file' ? after.mode & 0o777 : 0o644
  if (before?.kind === 'file' && now?.kind === 'file' && before.mode === (after?.kind === 'file' ? after.mode : -1)) return now.mode
  return proposed
}

function linkOf({ linkedTo }: Change): Pick<Operation, 'linkTo'> {
  return linkedTo === undefined ? {} : { linkTo: linkedTo }
}

function baseOf({ root, path: place, after }: Operation, applies: string): BaseEntry {
  if (after.kind === 'absent') return { root, path: place, state: 'absent' }
  const facts = {
    type: after.kind === 'file' ? ('f' as const) : after.kind === 'link' ? ('l' as const) : ('d' as const),
    mode: after.kind === 'link' ? 0o777 : after.mode,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeNs: '0',
    ctimeNs: '0',
    ino: '0',
    dev: '0',
    nlink: 1,
    ...(after.kind === 'link' ? { target: after.target } : {}),
  }
  return { root, path: place, state: 'same', facts, ...(after.kind === 'file' ? { content: path.join(applies, after.content) } : {}) }
}
