// The cell's own home: one folder per project and agent, kept between runs, shared with nobody.
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'

/** Bytes of a name that every file system takes. */
const longest = 200

/** `$XDG_DATA_HOME/anchorhold/homes/AGENT/NAME`, made with mode 0700. */
export function openHome(dataDir: string, agent: string, project: string): string {
  const folder = path.join(dataDir, 'homes', agent, homeName(project))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/**
 * A name for the project's path (absolute, canonical) that no other path has: `/home/me/shop` is `home+me+shop`. What can't stand for itself is
 * written as %XX; of a path that is too long its end and a hash of it are left.
 */
export function homeName(project: string): string {
  const name = project
    .slice(1)
    .replace(/[^\w.@/-]/gu, (character) => encodeURIComponent(character).replace(/[!'()*+]/g, escaped))
    .replaceAll('/', '+')
  if (name.length <= longest) return name
  return `=${createHash('sha256').update(project).digest('hex')}+${name.slice(-100).replace(/^[^+]*\+/, '')}`
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
