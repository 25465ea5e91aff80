// The cell's own home: one folder per project and agent, kept between runs, shared with nobody.
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'

/** `$XDG_DATA_HOME/anchorhold/homes/AGENT/NAME-HASH`, made with mode 0700. The hash is over the project's path. */
export function openHome(dataDir: string, agent: string, project: string): string {
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 12)
  const name = path
    .basename(project)
    .replace(/[^\w.-]+/g, '_')
    .slice(0, 40)
  const folder = path.join(dataDir, 'homes', agent, `${name}-${hash}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
