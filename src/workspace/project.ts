// First thing of a run: which folder the agent may see. Refuses what is more than one project; mounts beside it are the policy's (policy/mounts.ts).
// Neighbours: run/ calls openProject before anything is opened; open.ts trusts the paths that passed here.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { stat } from '../host/at-once.ts'
import { credentialFolders } from '../policy/places.ts'
import { canonical, canonicalIfThere, dotFolder, wideReason } from '../policy/real-place.ts'

/**
 * The canonical path of the project folder.
 * @param given absolute, or relative to the current folder
 * @param hostHome the caller's home on the host, absolute
 * @param stateDirs anchorhold's own folders (state, data, configuration), absolute; they need not exist
 * @throws Failure `workspace/missing`, `workspace/not-a-project`
 */
export async function openProject(given: string, hostHome: string, stateDirs: readonly string[]): Promise<string> {
  const refuse = (reason: string): never => {
    throw new Failure('workspace/not-a-project', { path: given, reason })
  }
  if (given === '') refuse('an empty path names nothing')
  const folder = await canonical(given, (reason) => new Failure('workspace/missing', { path: given, reason }), refuse)
  const info = await stat(folder)
  if (!info.isDirectory()) refuse('it is not a folder')
  const home = await canonicalIfThere(hostHome)
  const reason = await wideReason(folder, home, stateDirs)
  if (reason !== undefined) refuse(reason)
  const dot = dotFolder(folder, home)
  if (dot !== undefined && (credentialFolders.has(dot) || !(await exists(path.join(folder, '.git'))))) {
    refuse(`it lies in ~/${dot}, where programs keep settings and keys`)
  }
  return folder
}

function exists(target: string): Promise<boolean> {
  return stat(target).then(
    () => true,
    () => false,
  )
}
