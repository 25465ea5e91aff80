// Files that a build may read, copied while they are hashed: nobody can put others in their place between an approval and the build.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, readlink, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { show } from '../policy/show.ts'

/** More than this is not what an image is built from, but a project with its packages. */
export const most: { readonly files: number; readonly bytes: number } = { files: 5_000, bytes: 64 * 2 ** 20 }

/**
 * Copies a file or a folder to `to` and returns the sha-256 (hex) over paths, kinds, exec bits and content. Links are copied, never followed.
 * @throws Failure 'image/unreadable', 'image/context-too-large'
 */
export async function takeFiles(from: string | undefined, to: string): Promise<string> {
  const parts: [string, string | Uint8Array][] = []
  const left = { ...most }
  const tooLarge = (): Failure =>
    new Failure('image/context-too-large', { folder: show(from ?? '', 300), files: most.files, mebibytes: most.bytes / 2 ** 20 })
  const take = async (source: string, target: string, name: string): Promise<void> => {
    const facts = await lstat(source)
    left.files -= 1
    if (left.files < 0) throw tooLarge()
    if (facts.isSymbolicLink()) {
      const goal = await readlink(source)
      await symlink(goal, target)
      parts.push([`link ${name}`, goal])
    } else if (facts.isDirectory()) {
      await mkdir(target)
      parts.push([`folder ${name}`, ''])
      for (const entry of (await readdir(source)).sort()) await take(path.join(source, entry), path.join(target, entry), `${name}/${entry}`)
    } else if (facts.isFile()) {
      const content = await readWhole(source, left.bytes)
      left.bytes -= content.length
      if (left.bytes < 0) throw tooLarge()
      const mode = (facts.mode & 0o111) === 0 ? 0o644 : 0o755
      await writeFile(target, content, { mode })
      await chmod(target, mode)
      parts.push([`file ${name} ${mode.toString(8)}`, content])
    } else
      throw new Failure('image/unreadable', {
        file: show(source, 300),
        reason: 'it is neither a file nor a folder',
        where: show(source, 300),
      })
  }
  if (from === undefined) await mkdir(to)
  else await take(from, to, '')
  return digestOfFiles(parts)
}

async function readWhole(file: string, limit: number): Promise<Uint8Array> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const { size } = await handle.stat()
  return size > limit ? new Uint8Array(limit + 1) : handle.readFile()
}

/** sha-256 (hex) of named parts; no two lists of parts give the same bytes. */
export function digestOfFiles(parts: readonly (readonly [string, string | Uint8Array])[]): string {
  const hash = createHash('sha256')
  for (const [name, content] of parts) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    hash.update(JSON.stringify([name, bytes.length])).update(bytes)
  }
  return hash.digest('hex')
}
