// anchorhold's own code where it lies in a writable root (a clone of anchorhold as the project, `node_modules/anchorhold`): what the
// next run on the host would execute is read-only inside. Pure.
import path from 'node:path'
import type { Cover } from '../model/plan.ts'
import { isWithin } from '../host/paths.ts'

/** Folders of the package that run on the host. */
const running = ['bin', 'dist', 'node_modules', 'scripts']

/**
 * @param packageRoot canonical
 * @param node canonical path of the Node that runs anchorhold
 * @param exists whether a path is there: a cover needs something to lie on
 */
export function ownInstallation(
  packageRoot: string,
  node: string,
  roots: readonly string[],
  exists: (path: string) => boolean,
): readonly Cover[] {
  const own = [...running.map((name) => path.join(packageRoot, name)), path.dirname(node)]
  const inside = own.filter((folder) => roots.some((root) => isWithin(folder, root)) && exists(folder))
  const outermost = inside.filter((folder) => !inside.some((other) => other !== folder && isWithin(folder, other)))
  return [...new Set(outermost)].map((folder) => ({ kind: 'readonly', path: folder }))
}
