// What a policy's lines meet on this disk, for `anchorhold policy check`: names alone, no content, bounded. Neighbours: policy/check/ judges it.
import path from 'node:path'
import { isWithin } from '../../host/paths.ts'
import type { Policy } from '../../model/policy.ts'
import type { Seen } from '../../policy/check/types.ts'
import { writableMounts } from '../../policy/check/writable.ts'
import { globMatches, globNames } from '../glob-matches.ts'
import { hiddenNames } from '../hidden-names.ts'
import { mountReason } from '../../policy/mounts.ts'
import { isShown, liftKey } from '../tables.ts'
import { namedCredential } from './credential-names.ts'
import { lookThrough } from './look.ts'
import { obeyedPlaces } from './obeyed.ts'

export interface SurveyInput {
  readonly policy: Policy
  readonly project: string
  readonly home: string
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  /** anchorhold's own folders. */
  readonly own: readonly string[]
}

/** Never rejects for what can't be read: that is not found, and a run would meet it again. */
export async function survey(input: SurveyInput): Promise<Pick<Seen, 'credentials' | 'obeyed' | 'refused' | 'idleHides'>> {
  const { policy, project, home, own } = input
  const matched = new Set<string>()
  const hides = policy.files.hide.map(({ glob }) => glob)
  const hidden = hiddenGlobs(policy)
  const credentials: { mount: string; file: string; what: string }[] = []
  const refused: { mount: string; reason: string }[] = []
  let whole = true
  for (const { path: mount } of policy.files.mount) {
    const reason = await mountReason(mount, { home, own })
    if (reason !== undefined) refused.push({ mount, reason })
    // Asked by its whole path too: ~/.config/gh is not below a folder of its name.
    const above = isWithin(mount, home) ? path.relative(home, mount) : path.basename(mount)
    const found: string[] = []
    const complete = await lookThrough(mount, (relative) => {
      for (const glob of hides)
        if (!matched.has(glob) && globNames(glob, relative === '' ? path.basename(mount) : relative)) matched.add(glob)
      const inHome = relative === '' ? above : `${above}/${relative}`
      if (found.some((outer) => relative.startsWith(`${outer}/`))) return
      const what = credentialAt(inHome, relative, hidden)
      if (what === undefined) return
      found.push(relative)
      credentials.push({ mount, file: path.join(mount, relative), what })
    })
    whole &&= complete
  }
  if (hides.length > 0) {
    const complete = await lookThrough(project, (relative) => {
      for (const glob of hides) if (!matched.has(glob) && globNames(glob, relative)) matched.add(glob)
    })
    whole &&= complete
  }
  const roots = [...(policy.workspace.mode === 'live' ? [project] : []), ...writableMounts(policy).map((mount) => mount.path)]
  return {
    credentials,
    refused,
    obeyed: await obeyedPlaces(roots, home, input.hostEnv),
    // Where not everything was looked at, nothing can be said of what is missing.
    idleHides: new Set(whole ? hides.filter((glob) => !matched.has(glob)) : []),
  }
}

/** What a path holds by its name, unless the cell finds it empty. */
function credentialAt(whole: string, relative: string, hidden: readonly string[]): string | undefined {
  const name = path.basename(whole)
  if (isShown(name) || name.endsWith('.pub')) return undefined
  const what = namedCredential(whole)
  if (what === undefined) return undefined
  return hidden.some((glob) => globMatches(glob, relative === '' ? name : relative)) ? undefined : what
}

function hiddenGlobs({ files }: Policy): readonly string[] {
  const lifted = new Set(files.unprotect.map(({ glob }) => liftKey(glob)))
  const builtIn = hiddenNames.map(({ glob }) => glob).filter((glob) => !lifted.has(liftKey(glob)))
  return [...builtIn, ...files.hide.map(({ glob }) => glob)]
}
