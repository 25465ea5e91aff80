// Policy check: the mounts that a cell writes without a view in between.
import type { FileMount, Policy } from '../../model/policy.ts'

/** In a review and a readonly workspace nothing of the host is written. */
export function writableMounts({ files, workspace }: Pick<Policy, 'files' | 'workspace'>): readonly FileMount[] {
  return workspace.mode === 'live' ? files.mount.filter(({ mode }) => mode === 'rw') : []
}
