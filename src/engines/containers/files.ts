// Files that containers are given: named after their content below one folder of the caller's cache, so that the command of --dry-run finds them.
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import path from 'node:path'
import type { MadeFile } from '../../model/engine.ts'

/** `session`: for what is one run's alone, which takes it away at its end. */
export function madeFile(folder: string, content: string | Uint8Array, session?: string): MadeFile {
  const bytes = Buffer.from(content)
  const name = createHash('sha256')
    .update(session ?? '')
    .update(bytes)
    .digest('hex')
  return { path: path.join(folder, name), content: bytes, mode: session === undefined ? 0o444 : 0o400 }
}

/** Takes away what only one run has. */
export function removePrivate(files: readonly MadeFile[]): void {
  for (const file of files) if (file.mode === 0o400) rmSync(file.path, { force: true })
}
