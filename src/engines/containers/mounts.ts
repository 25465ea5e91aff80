// What a cell's file system is made of beyond its image → options of the command line. Pure. Neighbour: compile.ts.
import path from 'node:path'
import { Failure } from '../../errors/failure.ts'
import { emptyFolder } from '../../host/made-files.ts'
import { isWithin } from '../../host/paths.ts'
import type { EngineFacts, MadeFile } from '../../model/engine.ts'
import type { Cover, Mount, Plan } from '../../model/plan.ts'
import { madeFile } from './files.ts'

const smallBytes = 16 * 2 ** 20

export interface MountOptions {
  readonly words: readonly string[]
  readonly files: readonly MadeFile[]
}

/** Covers come last; of two things at one place the later one counts. */
export function mountOptions(plan: Plan, facts: EngineFacts): MountOptions {
  const files: MadeFile[] = []
  const made = (content: string): string => {
    const file = madeFile(String(facts['files']), content)
    files.push(file)
    return file.path
  }
  const at = new Map<string, readonly string[]>()
  const volumes = String(facts['volumes'] ?? '')
    .split('\0')
    .filter(Boolean)
  const put = (to: string, words: readonly string[]): void => {
    at.delete(to)
    at.set(to, words)
  }
  for (const to of volumes) put(to, tmpfs({ kind: 'tmpfs', to, bytes: smallBytes, mode: 0o1777 }, facts))
  // What links would lead to that nothing lays here.
  const unused = plan.covers.flatMap((cover) => (cover.kind === 'link' ? [path.dirname(cover.target)] : []))
  plan.mounts.forEach((mount, index) => {
    const over = plan.covers.filter((cover) => isWithin(mount.to, cover.path))
    if (unused.includes(mount.to) || over.some(({ kind }) => kind === 'empty')) return
    // A cover holds for what is mounted below it too.
    const held = mount.kind === 'bind' && over.length > 0 ? ({ ...mount, mode: 'ro' } as const) : mount
    const words = wordsFor(held, plan.mounts.slice(index + 1), facts, made)
    if (words.length > 0) put(mount.to, words)
  })
  for (const cover of plan.covers) put(cover.path, coverWords(cover, facts, made))
  return { words: [...at.values()].flat(), files }
}

function wordsFor(mount: Mount, later: readonly Mount[], facts: EngineFacts, made: (content: string) => string): readonly string[] {
  switch (mount.kind) {
    case 'bind':
      return bind(mount.from, mount.to, mount.mode, facts)
    case 'file':
      return bind(made(mount.content), mount.to, 'ro')
    case 'tmpfs':
      return mount.to === '/dev/shm' ? ['--shm-size', String(mount.bytes)] : tmpfs(mount, facts)
    case 'dir':
      // The engine makes the folders above a mount itself.
      if (later.some(({ to }) => to !== mount.to && isWithin(to, mount.to))) return []
      return tmpfs({ kind: 'tmpfs', to: mount.to, bytes: smallBytes, mode: mount.mode ?? 0o755 }, facts)
    case 'symlink':
      throw new Failure('engine/bad-plan', { why: `a container cannot be given a link at ${mount.to}` })
    case 'overlay':
      throw new Failure('engine/bad-plan', { why: 'a container cannot be given a view' })
  }
}

/** A configuration that git could write to has no twin here: the real file is read-only. */
function coverWords(cover: Cover, facts: EngineFacts, made: (content: string) => string): readonly string[] {
  if (cover.kind !== 'empty') return bind(cover.path, cover.path, 'ro', facts)
  return bind(cover.what === 'file' ? made('') : emptyFolder(String(facts['files'])), cover.path, 'ro')
}

/** Its owner is the container's user, the one there is; what is everybody's needs none. */
function tmpfs(mount: Extract<Mount, { kind: 'tmpfs' }>, facts: EngineFacts): readonly string[] {
  if (/[:,]/.test(mount.to)) throw new Failure('engine/bad-plan', { why: `the engine cannot be told of ${mount.to}` })
  const owner = mount.mode === 0o1777 ? '' : String(facts['tmpfsOwned'])
  return ['--tmpfs', `${mount.to}:rw,nosuid,nodev,exec,size=${mount.bytes},mode=${mount.mode.toString(8)}${String(facts['tmpfs'])}${owner}`]
}

/**
 * As a CSV record (RFC 4180), so that a source that is missing makes the start fail and a path may hold anything but a line feed. Of a folder that
 * is read-only nothing is shown that is mounted below it: older engines would leave that writable. `facts`: for what may be a folder.
 */
export function bind(from: string, to: string, mode: 'ro' | 'rw', facts: EngineFacts = {}): readonly string[] {
  const odd = [from, to].find((place) => /[\n\r\0]/.test(place) || !path.isAbsolute(place))
  if (odd !== undefined) throw new Failure('engine/bad-plan', { why: `the engine cannot be told of ${JSON.stringify(odd)}` })
  const field = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const fields = [
    'type=bind',
    `source=${from}`,
    `target=${to}`,
    ...(mode === 'ro' ? ['readonly', ...(typeof facts['alone'] === 'string' ? [facts['alone']] : [])] : []),
  ]
  return ['--mount', fields.map(field).join(',')]
}
