// The plan of one run from everything decided before. Pure: the same input gives the same plan.
import type { Prepared } from '../model/agent.ts'
import type { Cover, Listener, Mount, Plan, Preflight } from '../model/plan.ts'
import type { EngineName, Policy } from '../model/policy.ts'
import type { Image } from '../model/image.ts'
import type { SystemFacts } from '../host/system.ts'
import { standardLimits } from '../policy/limits.ts'
import { makeEnvironment } from './environment.ts'
import { credentialSettings, gitVariables, viewSettings } from './git-variables.ts'
import type { Identity } from './identity.ts'
import { defaultTmpBytes, hostMounts, systemMounts } from './system-mounts.ts'
import { trustEnv, trustMounts, type Trust } from './trust.ts'

export interface PlanInput {
  readonly session: string
  readonly engine: EngineName
  readonly agent: { readonly name: string; readonly passEnv: readonly string[]; readonly prepared: Prepared }
  readonly policy: Policy
  readonly project: string
  /** Where the command starts: the project or a folder in it. */
  readonly cwd: string
  readonly identity: Identity
  readonly system: SystemFacts
  /** What the system folders come from, where they are not this machine's. */
  readonly image?: Image
  /** The host folder that is the cell's home. */
  readonly homeFolder: string
  readonly workspace: { readonly covers: readonly Cover[]; readonly mounts: readonly Mount[] }
  /** Of a review: what lies in the place of the real folders, by `to`. */
  readonly views?: readonly Mount[]
  readonly listeners: readonly Listener[]
  readonly placeholders: Readonly<Record<string, string>>
  /** Set where the gateway ends TLS for this cell. */
  readonly trust?: Trust
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly terminal: Plan['terminal']
  readonly preflight: readonly Preflight[]
}

/** The plan, and the names of variables that the policy passes but the caller has not set. */
export function makePlan(input: PlanInput): { readonly plan: Plan; readonly unsetEnv: readonly string[] } {
  const { policy, agent, identity, project } = input
  // In a review the views are what can be written; what has none is read-only.
  const projectMode = policy.workspace.mode === 'live' ? 'rw' : 'ro'
  const views = new Map((input.views ?? []).map((view) => [view.to, view]))
  const asSeen = (mount: Mount): Mount => views.get(mount.to) ?? mount
  const extra = policy.files.mount.map((mount): Mount => ({
    kind: 'bind',
    from: mount.path,
    to: mount.path,
    mode: projectMode === 'ro' ? 'ro' : mount.mode,
  }))
  const visible = [...agent.prepared.mounts, ...extra].flatMap((mount) => (mount.kind === 'bind' && mount.mode === 'ro' ? [mount.to] : []))
  const { env, unset } = makeEnvironment({
    hostEnv: input.hostEnv,
    identity,
    agentEnv: agent.prepared.env,
    passEnv: agent.passEnv,
    rules: policy.env,
    placeholders: input.placeholders,
    visible,
    ...(input.system.caBundle === undefined ? {} : { caBundle: input.system.caBundle }),
    ...(input.trust === undefined ? {} : { trust: trustEnv(input.trust) }),
  })
  const plan: Plan = {
    session: input.session,
    engine: input.engine,
    agent: agent.name,
    argv: agent.prepared.argv,
    cwd: input.cwd,
    ...(input.image === undefined ? {} : { image: input.image }),
    env: { ...env, ...gitVariables([...viewSettings(input.views ?? []), ...credentialSettings(policy.secrets)], env) },
    identity,
    mounts: [
      ...(input.image === undefined ? hostMounts(input.system) : []),
      ...systemMounts(identity, policy.limits.tmp ?? defaultTmpBytes),
      ...(input.trust === undefined ? [] : trustMounts(input.trust)),
      { kind: 'bind', from: input.homeFolder, to: identity.home, mode: 'rw' },
      ...outerFirst(
        [...agent.prepared.mounts, ...extra, { kind: 'bind', from: project, to: project, mode: projectMode } as const].map(asSeen),
      ),
      ...input.workspace.mounts.map(asSeen),
      ...(input.views ?? []).filter((view) => view.kind === 'bind' && view.mode === 'ro'),
    ],
    roots: writableRoots(policy, project),
    covers: input.workspace.covers,
    listeners: input.listeners,
    limits: limitsOf(policy),
    workspace: policy.workspace.mode,
    permissions: policy.permissions.mode,
    terminal: input.terminal,
    preflight: input.preflight,
  }
  return { plan, unsetEnv: unset }
}

/** Only a review keeps what is written apart, and can measure it; elsewhere the limit is said to be none where the user set it. */
function limitsOf({ workspace, limits }: Policy): Plan['limits'] {
  if (workspace.mode === 'review' || limits.disk !== standardLimits.disk) return limits
  const { disk: _, ...rest } = limits
  return rest
}

/** The host's own folders that the cell may write: the project and every writable mount; none but in a live workspace. */
export function writableRoots(policy: Policy, project: string): readonly string[] {
  if (policy.workspace.mode !== 'live') return []
  return [project, ...policy.files.mount.filter((mount) => mount.mode === 'rw').map((mount) => mount.path)]
}

/** A mount that lies inside another must come after it, or it would be hidden. Stable for the rest. */
function outerFirst(mounts: readonly Mount[]): readonly Mount[] {
  return mounts.toSorted((a, b) => depth(a.to) - depth(b.to))
}

function depth(folder: string): number {
  return folder.split('/').filter(Boolean).length
}
