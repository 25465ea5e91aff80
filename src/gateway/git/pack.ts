// Gateway, git: the commits of a pack with their parents (gitformat-pack), each under the hash of its own content, so that nothing said of them
// needs to be believed. Used by judge.ts to tell a fast-forward from a forced push.
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { inflate, type InputType, type ZlibOptions } from 'node:zlib'

/** What is inflated at most: a pack is small beside what it may unfold to. */
export interface PackBounds {
  readonly objects: number
  readonly inflatedBytes: number
}

export type Commits = ReadonlyMap<string, readonly string[]>

/** Not a pack as git writes it, or more than the bounds; the message says which. */
export class PackError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PackError'
  }
}

interface Entry {
  readonly type: number
  readonly size: number
  /** Of a delta: where its base stands in the pack; undefined: the base is not here. */
  readonly base?: number
  readonly dataAt: number
}

const commit = 1
const offsetDelta = 6
const referenceDelta = 7
const unfold = promisify(inflate as (bytes: InputType, options: ZlibOptions, done: (error: Error | null, result: unknown) => void) => void)

/** Ids of commits to the ids of their parents. `digits`: 40 (sha-1) or 64 (sha-256). Throws PackError. */
export async function readCommits(pack: Buffer, digits: 40 | 64, bounds: PackBounds): Promise<Commits> {
  const hash = digits === 40 ? 'sha1' : 'sha256'
  const idBytes = digits / 2
  if (pack.length < 12 + idBytes || pack.toString('latin1', 0, 4) !== 'PACK') throw new PackError('no pack')
  if (![2, 3].includes(pack.readUInt32BE(4))) throw new PackError('an unknown version of pack')
  const count = pack.readUInt32BE(8)
  if (count > bounds.objects) throw new PackError(`more than ${bounds.objects} objects`)
  const end = pack.length - idBytes
  if (!createHash(hash).update(pack.subarray(0, end)).digest().equals(pack.subarray(end)))
    throw new PackError('a pack with a wrong checksum')
  const contents = new Map<number, Buffer>() // of commits, by offset: a later one may be a delta of an earlier one
  const byId = new Map<string, number>()
  const commits = new Map<string, readonly string[]>()
  let left = bounds.inflatedBytes
  let at = 12
  for (let index = 0; index < count; index++) {
    const start = at
    const entry = readEntry(pack, at, end, idBytes, byId)
    left -= entry.size
    if (left < 0) throw new PackError(`more than ${bounds.inflatedBytes} bytes unfolded`)
    const { content, used } = await unfolded(pack.subarray(entry.dataAt, end), entry.size)
    at = entry.dataAt + used
    const text = entry.type === commit ? content : entry.base === undefined ? undefined : applied(contents.get(entry.base), content)
    if (text === undefined) continue
    left -= text.length
    if (left < 0) throw new PackError(`more than ${bounds.inflatedBytes} bytes unfolded`)
    contents.set(start, text)
    const id = createHash(hash).update(`commit ${text.length}\0`).update(text).digest('hex')
    byId.set(id, start)
    commits.set(id, parentsOf(text, digits))
  }
  if (at !== end) throw new PackError('bytes after the last object')
  return commits
}

function readEntry(pack: Buffer, start: number, end: number, idBytes: number, byId: ReadonlyMap<string, number>): Entry {
  let at = start
  const next = (): number => {
    const byte = at < end ? pack[at++] : undefined
    if (byte === undefined) throw new PackError('a pack that is cut off')
    return byte
  }
  let byte = next()
  const type = (byte >> 4) & 7
  let size = byte & 15
  for (let shift = 4; byte & 128; shift += 7) {
    byte = next()
    size += (byte & 127) * 2 ** shift
    if (shift > 46) throw new PackError('an object of an impossible size')
  }
  if (type === 0 || type === 5) throw new PackError('an object of an unknown type')
  if (type === referenceDelta) {
    const id = pack.toString('hex', at, at + idBytes)
    const base = byId.get(id)
    return { type, size, dataAt: at + idBytes, ...(base === undefined ? {} : { base }) }
  }
  if (type !== offsetDelta) return { type, size, dataAt: at }
  byte = next()
  let distance = byte & 127
  while (byte & 128) {
    byte = next()
    distance = (distance + 1) * 128 + (byte & 127)
    if (distance > start) throw new PackError('a delta of something before the pack')
  }
  return { type, size, base: start - distance, dataAt: at }
}

async function unfolded(bytes: Buffer, size: number): Promise<{ readonly content: Buffer; readonly used: number }> {
  let result: unknown
  try {
    result = await unfold(bytes, { info: true, maxOutputLength: size + 1 })
  } catch (error) {
    throw new PackError(`an object that cannot be unfolded (${error instanceof Error ? error.message : 'unknown'})`)
  }
  const { buffer, engine } = result as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }
  if (buffer.length !== size) throw new PackError('an object that is not as long as it says')
  return { content: buffer, used: engine.bytesWritten }
}

/** A delta put on its base (gitformat-pack, "Deltified representation"); undefined where the base is no commit of this pack. */
function applied(base: Buffer | undefined, delta: Buffer): Buffer | undefined {
  if (base === undefined) return undefined
  let at = 0
  const next = (): number => {
    const byte = delta[at++]
    if (byte === undefined) throw new PackError('a delta that is cut off')
    return byte
  }
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = next()
      value += (byte & 127) * 2 ** shift
      if (!(byte & 128)) return value
      if (shift > 42) throw new PackError('a delta of an impossible size')
    }
  }
  if (number() !== base.length) throw new PackError('a delta of another base')
  const size = number()
  const parts: Buffer[] = []
  let made = 0
  while (at < delta.length) {
    const order = next()
    let part: Buffer
    if (order & 128) {
      let offset = 0
      let length = 0
      for (let bit = 0; bit < 4; bit++) if (order & (1 << bit)) offset += next() * 2 ** (8 * bit)
      for (let bit = 0; bit < 3; bit++) if (order & (16 << bit)) length += next() * 2 ** (8 * bit)
      part = base.subarray(offset, offset + (length || 65_536))
    } else {
      if (order === 0) throw new PackError('a malformed delta')
      part = delta.subarray(at, at + order)
      at += order
    }
    parts.push(part)
    made += part.length
    if (made > size) throw new PackError('a delta that makes more than it says')
  }
  if (made !== size) throw new PackError('a delta that makes less than it says')
  return Buffer.concat(parts)
}

/** The `parent` lines of a commit's head, which follow its tree. */
function parentsOf(content: Buffer, digits: number): readonly string[] {
  const head = content.toString('latin1', 0, content.indexOf('\n\n') < 0 ? content.length : content.indexOf('\n\n'))
  const [tree = '', ...lines] = head.split('\n')
  if (!tree.startsWith('tree ')) throw new PackError('a commit without a tree')
  const parents: string[] = []
  for (const line of lines) {
    if (!line.startsWith('parent ')) break
    parents.push(line.slice(7, 7 + digits))
  }
  return parents
}
