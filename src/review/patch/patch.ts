// Writes changes as a patch that plain `git apply` takes: links, modes, renames and binary content included. What the format has no word for
// (empty folders, pipes, git's own files) is given back by name, so that nothing is left out silently.
import { createHash } from 'node:crypto'
import type { Change, Side } from '../../model/change.ts'
import type { Sides } from '../collect.ts'
import { hunkHead, hunksOf } from '../hunks.ts'
import { contentOf, isBinary, textLimit, unknownHash } from '../tree.ts'
import { literal } from './base85.ts'
import { patchPath } from './path.ts'

const largest = 128 * 2 ** 20

export type ObjectFormat = 'sha1' | 'sha256'

/** The patch of one change; undefined where git's format has no word for it. */
export function patchOf(change: Change, sides: Sides, format: ObjectFormat = 'sha1'): Buffer | undefined {
  if (change.git !== undefined) return undefined
  const before = gitMode(change.before)
  const after = gitMode(change.after)
  if (before === undefined && after === undefined) return undefined
  if (!fits(change.before) || !fits(change.after)) return undefined
  const old = {
    path: change.from ?? change.path,
    mode: before,
    content: contentOf(sides.before, change.from ?? change.path, change.before),
  }
  const fresh = { path: change.path, mode: after, content: contentOf(sides.after, change.path, change.after) }
  const none = { mode: undefined, content: Buffer.alloc(0) }
  if (change.action !== 'type') return diff(old, fresh, change.action === 'renamed', format)
  return Buffer.concat([diff(old, { ...none, path: old.path }, false, format), diff({ ...none, path: fresh.path }, fresh, false, format)])
}

interface Half {
  readonly path: string
  /** Undefined: it is not there. */
  readonly mode: string | undefined
  readonly content: Buffer
}

function diff(old: Half, fresh: Half, renamed: boolean, format: ObjectFormat): Buffer {
  if (old.mode === undefined && fresh.mode === undefined) return Buffer.alloc(0)
  const same = old.content.equals(fresh.content)
  if (same && old.mode === fresh.mode && !renamed) return Buffer.alloc(0)
  const head = [`diff --git ${patchPath(`a/${old.path}`)} ${patchPath(`b/${fresh.path}`)}`]
  if (old.mode === undefined) head.push(`new file mode ${fresh.mode ?? ''}`)
  else if (fresh.mode === undefined) head.push(`deleted file mode ${old.mode}`)
  else if (old.mode !== fresh.mode) head.push(`old mode ${old.mode}`, `new mode ${fresh.mode}`)
  if (renamed) head.push(`similarity index ${same ? 100 : 50}%`, `rename from ${patchPath(old.path)}`, `rename to ${patchPath(fresh.path)}`)
  if (same && old.mode !== undefined && fresh.mode !== undefined) return Buffer.from(`${head.join('\n')}\n`, 'latin1')
  const kept = old.mode === fresh.mode ? ` ${old.mode ?? ''}` : ''
  head.push(`index ${blobId(old, format)}..${blobId(fresh, format)}${kept}`)
  return Buffer.from(`${head.join('\n')}\n${same ? '' : body(old, fresh)}`, 'latin1')
}

function body(old: Half, fresh: Half): string {
  if (isBinary(old.content) || isBinary(fresh.content) || old.content.length > textLimit || fresh.content.length > textLimit)
    return `GIT binary patch\n${literal(fresh.content)}${literal(old.content)}`
  const from = old.mode === undefined ? '/dev/null' : patchPath(`a/${old.path}`)
  const to = fresh.mode === undefined ? '/dev/null' : patchPath(`b/${fresh.path}`)
  // A name with a blank is ended by a tab, as git and diff do it.
  const end = (name: string): string => (name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name)
  const lines = hunksOf(old.content.toString('latin1'), fresh.content.toString('latin1')).map(
    (hunk) => `${hunkHead(hunk)}\n${hunk.lines.map(({ kind, text }) => kind + ended(text)).join('')}`,
  )
  return `--- ${end(from)}\n+++ ${end(to)}\n${lines.join('')}`
}

function ended(line: string): string {
  return line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`
}

/** A patch is made in memory, of contents that are known. */
function fits(side: Side | undefined): boolean {
  return side?.kind !== 'file' || (side.size <= largest && side.hash !== unknownHash)
}

function gitMode(side: Side | undefined): string | undefined {
  if (side?.kind === 'link') return '120000'
  if (side?.kind !== 'file') return undefined
  return (side.mode & 0o100) === 0 ? '100644' : '100755'
}

/** The object's name as git computes it; zeros for what is not there. */
function blobId(half: Half, format: ObjectFormat): string {
  if (half.mode === undefined) return '0'.repeat(format === 'sha1' ? 40 : 64)
  return createHash(format).update(`blob ${half.content.length}\0`).update(half.content).digest('hex')
}
