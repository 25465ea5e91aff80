// The caller's Node where it lies outside the system folders (nvm, asdf, mise, an unpacked archive): `npm test` works
// inside as it does outside. Only Node and its npm are shown, never the manager's folder or other global packages.
import { readdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import type { Mount } from '../model/plan.ts'
import { executableAt, nowOrAbsent } from './files.ts'
import type { Search } from './locate.ts'
import { isWithin } from '../host/paths.ts'

/** Tools that come with Node itself. */
const bundled = ['npm', 'corepack']

/** Read-only mounts at their own paths; the PATH entry that leads to them is kept by the planner. None for a Node below /usr. */
export async function nodeToolchain({ hostEnv, project }: Search): Promise<readonly Mount[]> {
  for (const entry of (hostEnv['PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder))) {
    const node = await executableAt(path.join(entry, 'node'))
    if (node === undefined) continue
    if (isWithin(node, '/usr') || (project !== undefined && (isWithin(node, project) || isWithin(entry, project)))) return []
    return mountsOf(node)
  }
  return []
}

async function mountsOf(node: string): Promise<readonly Mount[]> {
  const prefix = path.dirname(path.dirname(node))
  if (path.basename(path.dirname(node)) !== 'bin' || !holdsOnlyNode(prefix)) return []
  const modules = bundled.map((name) => nowOrAbsent(() => realpathSync(path.join(prefix, 'lib/node_modules', name))))
  const inside = modules.filter((folder) => folder !== undefined && isWithin(folder, prefix))
  return [path.join(prefix, 'bin'), ...inside.filter((folder) => folder !== undefined)].map((from) => ({
    kind: 'bind',
    from,
    to: from,
    mode: 'ro',
  }))
}

/** A `bin` that is Node's own: itself, and links to its packages. A folder where people keep other programs is not shown. */
function holdsOnlyNode(prefix: string): boolean {
  for (const entry of nowOrAbsent(() => readdirSync(path.join(prefix, 'bin'), { withFileTypes: true })) ?? []) {
    if (entry.name === 'node') continue
    if (!entry.isSymbolicLink()) return false
    const target = nowOrAbsent(() => realpathSync(path.join(prefix, 'bin', entry.name)))
    if (target !== undefined && !isWithin(target, path.join(prefix, 'lib/node_modules'))) return false
  }
  return true
}
