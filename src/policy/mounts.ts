// Policy: which existing folders and files of the host are never mounted, whatever a policy says (attacks.md CFG-13).
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { isWithin } from '../host/paths.ts'
import type { Policy } from '../model/policy.ts'
import { whereOf } from './host-rule.ts'
import { credentialFolders, mountableCaches } from './places.ts'
import { canonicalIfThere, dotFolder, wideReason } from './real-place.ts'
import { show } from './show.ts'

/** Whose home it is, and anchorhold's own folders; absolute. */
interface Whose {
  readonly home: string
  readonly own: readonly string[]
}

/** Why a canonical path is not mounted, in either mode; undefined for one that may be. */
export async function mountReason(real: string, whose: Whose): Promise<string | undefined> {
  const home = await canonicalIfThere(whose.home)
  const wide = await wideReason(real, home, whose.own)
  if (wide !== undefined) return wide
  const dot = dotFolder(real, home)
  const cache = mountableCaches.some((inner) => isWithin(real, path.join(home, inner)) && real !== path.join(home, '.cache'))
  return dot !== undefined && credentialFolders.has(dot) && !cache
    ? `~/${dot} holds credentials or settings that programs of the host obey`
    : undefined
}

/** @throws Failure `policy/mount-refused` with the line */
export async function refuseMounts({ files }: Policy, whose: Whose): Promise<void> {
  for (const { path: real, origin } of files.mount) {
    const reason = await mountReason(real, whose)
    if (reason !== undefined) throw new Failure('policy/mount-refused', { path: show(real, 300), reason, where: whereOf(origin) })
  }
}
