// Policy: the loader. Built in → user's file → project's file → flags become one effective policy; the only file here with side effects on top.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { lstat, realpath } from '../host/at-once.ts'
import { dataDir, isWithin } from '../host/paths.ts'
import type { Origin, Policy } from '../model/policy.ts'
import type { RunOptions } from '../model/run-options.ts'
import type { SecretRule } from '../model/secret.ts'
import { isApproved } from './approval.ts'
import { whereOf } from './host-rule.ts'
import { idleLimitNotes } from './idle-limits.ts'
import { silentLayer, type Layer, type Said } from './layer.ts'
import { layerOfFlags } from './layer-of-flags.ts'
import { merge } from './merge.ts'
import { widenings, type Widening } from './narrow.ts'
import { refusePassContradictions } from './pass-through.ts'
import { refuseMounts } from './mounts.ts'
import type { HostFolders } from './paths.ts'
import { openHostNotes } from './open-hosts.ts'
import { expandPresets, type Registry } from './presets.ts'
import { readProjectPolicy, readUserPolicy, type ReadPolicy } from './read-file.ts'
import { idleSecretNotes, refusePlainSecrets } from './secret-hosts.ts'
import { show } from './show.ts'

export interface LoadInput {
  readonly options: RunOptions
  /** Canonical path of the project. */
  readonly project: string
  /** Presets of the agent that runs; where no option names one, the policy may (`agent:`), undefined where it doesn't either. */
  readonly agentPresets: readonly string[] | ((agent: string | undefined) => readonly string[])
  /** Credentials that the agent finds on this machine, for its own hosts; `taken`: variables that the policy speaks of itself. Default: none. */
  readonly agentSecrets?: (agent: string | undefined, taken: ReadonlySet<string>) => Promise<readonly SecretRule[]>
  /** The derived presets that exist: `registries` of registries/list.ts. */
  readonly registries: readonly Registry[]
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  readonly configDir: string
  readonly stateDir: string
}

/** A policy file that was used. */
export interface PolicySource {
  readonly kind: 'user' | 'project'
  readonly file: string
  /** sha-256 (hex) of its content. */
  readonly digest: string
  /** What a project's file widens; empty unless it was approved. */
  readonly widens: readonly Widening[]
}

export interface LoadedPolicy {
  readonly policy: Policy
  readonly sources: readonly PolicySource[]
  /** Where each single value comes from (`engine`, `workspace.mode`, `permissions.mode`, `limits.memory`, …). */
  readonly origins: Readonly<Record<string, Origin>>
  /** Things the user should know that stop nothing, in words. */
  readonly notes: readonly string[]
  /** Presets by name, where they were written; the agent's own among them. */
  readonly presets: readonly Said<string>[]
}

export const projectPolicyName = 'anchorhold.yaml'

/**
 * Reads every source once and merges them. Throws a Failure of the group `policy`: a file that was given is used whole or not at all.
 * `policy/project-widens` names every line of a project that needs `anchorhold trust`.
 */
export async function loadPolicy(input: LoadInput): Promise<LoadedPolicy> {
  const layers = await readLayers(input)
  const { sources, widens } = layers
  const file = sources.find((source) => source.kind === 'project')
  if (file !== undefined && widens.length > 0 && !(await isApproved(input.stateDir, file.file, file.digest)))
    throw wideningFailure(file.file, widens)
  const loaded = await assemble(input, layers)
  await refuseMounts(loaded.policy, { home: input.hostHome, own: ownFolders(input) })
  return loaded
}

/** Expands and merges them, and refuses what contradicts itself. Of approvals it knows nothing. */
export async function assemble(input: LoadInput, layers: ReadLayers): Promise<LoadedPolicy> {
  const { user, project, flags, sources, widens } = layers
  const presets = [...presetsOfAgent(input, layers), ...user.presets, ...project.presets, ...flags.presets]
  const { rules, env, notes } = await expandPresets(presets, input.registries, input)
  const found = await secretsOfAgent(input, layers)
  const { policy, origins } = merge({ user, project, flags }, rules, env, found)
  await refusePolicyInMounts(policy, sources)
  refusePlainSecrets(policy)
  refusePassContradictions(policy, input.hostEnv ?? {})
  return {
    policy,
    sources: sources.map((source) => ({ ...source, widens: source.kind === 'project' ? widens : [] })),
    origins,
    notes: [...notes, ...openHostNotes(policy.network.rules), ...idleLimitNotes(policy.network.rules), ...idleSecretNotes(policy)],
    presets,
  }
}

/** What a project's policy would widen for this user, approved or not: for `anchorhold trust` and `init`. Undefined without such a file. */
export async function projectWidenings(
  input: LoadInput,
): Promise<{ file: string; digest: string; widens: readonly Widening[] } | undefined> {
  const { sources, widens } = await readLayers(input)
  const file = sources.find((source) => source.kind === 'project')
  return file === undefined ? undefined : { file: file.file, digest: file.digest, widens }
}

/** What every source says, before it is merged. */
export interface ReadLayers {
  readonly user: Layer
  readonly project: Layer
  readonly flags: Layer
  readonly sources: readonly Omit<PolicySource, 'widens'>[]
  readonly widens: readonly Widening[]
}

export async function readLayers(input: LoadInput): Promise<ReadLayers> {
  const own = ownFolders(input)
  const foldersAt = (base: string): HostFolders => ({ home: input.hostHome, base, own })
  const userFile = input.options.policy === undefined ? path.join(input.configDir, 'policy.yaml') : path.resolve(input.options.policy)
  const projectFile = path.join(input.project, projectPolicyName)
  await Promise.all([input.options.policy === undefined ? refuseOtherSpelling(userFile) : undefined, refuseOtherSpelling(projectFile)])
  const [userRead, projectRead] = await Promise.all([
    readUserPolicy(userFile, input.project, input.options.policy !== undefined),
    readProjectPolicy(projectFile),
  ])
  const flags = await layerOfFlags(input.options, foldersAt(process.cwd()), input.registries)
  if (userRead === undefined && projectRead === undefined)
    return { user: silentLayer, project: silentLayer, flags, sources: [], widens: [] }

  const { layerOfFile } = await import('./layer-of-file.ts')
  const layer = (kind: 'user' | 'project', file: string, read: ReadPolicy | undefined): Promise<Layer> | Layer =>
    read === undefined ? silentLayer : layerOfFile({ kind, file, bytes: read.bytes }, foldersAt(path.dirname(file)), input.registries)
  const user = await layer('user', userFile, userRead)
  const project = await layer('project', projectFile, projectRead)
  refuseInProject(project)
  const sources = [
    ...(userRead === undefined ? [] : [{ kind: 'user' as const, file: userFile, digest: userRead.digest }]),
    ...(projectRead === undefined ? [] : [{ kind: 'project' as const, file: projectFile, digest: projectRead.digest }]),
  ]
  const agentPresets = presetsOfAgent(input, { user, project, flags })
  const widens = widenings(project, { ...user, presets: [...user.presets, ...agentPresets] }, flags)
  return { user, project, flags, sources, widens }
}

/** anchorhold's own folders, which no mount may show. */
export function ownFolders({ configDir, stateDir, hostEnv, hostHome }: LoadInput): readonly string[] {
  return [configDir, stateDir, dataDir(hostEnv, hostHome)]
}

/** What no approval could allow a project. */
export function refuseInProject(project: Layer): void {
  const route = project.routes[0]
  const command = project.secrets.find(({ from }) => from.kind === 'command')
  if (command !== undefined) throw new Failure('policy/project-secret-command', { where: whereOf(command.origin), secret: command.name })
  if (route !== undefined) throw new Failure('policy/project-routes', { where: whereOf(route.origin) })
}

function presetsOfAgent(
  { agentPresets }: LoadInput,
  { user, project, flags }: Pick<ReadLayers, 'user' | 'project' | 'flags'>,
): Layer['presets'] {
  const names = typeof agentPresets === 'function' ? agentPresets(agentNamed({ user, project, flags })) : agentPresets
  return names.map((value) => ({ value, origin: { kind: 'preset', source: value } }))
}

function agentNamed({ user, project, flags }: Pick<ReadLayers, 'user' | 'project' | 'flags'>): string | undefined {
  return (flags.agent ?? project.agent ?? user.agent)?.value
}

async function secretsOfAgent({ agentSecrets }: LoadInput, layers: ReadLayers): Promise<readonly SecretRule[]> {
  const each = [layers.user, layers.project, layers.flags]
  const taken = new Set(each.flatMap(({ env, secrets }) => [...env, ...secrets].map(({ name }) => name)))
  return (await agentSecrets?.(agentNamed(layers), taken)) ?? []
}

function wideningFailure(file: string, widens: readonly Widening[]): Failure {
  const lines = widens.map(({ what, origin }) => `  line ${origin.line ?? 1}: ${what}`).join('\n')
  return new Failure('policy/project-widens', { file: show(file, 300), lines, count: widens.length })
}

/** A policy under a name that is not read would be a policy that is silently ignored. */
async function refuseOtherSpelling(file: string): Promise<void> {
  const other = file.replace(/\.yaml$/, '.yml')
  const exists = await lstat(other).then(
    () => true,
    () => false,
  )
  if (exists) throw new Failure('policy/other-spelling', { file: show(other, 300), right: show(file, 300) })
}

/** A policy file that the cell could write would be the agent's to change before the next run. */
async function refusePolicyInMounts(policy: Policy, sources: readonly Pick<PolicySource, 'kind' | 'file'>[]): Promise<void> {
  for (const { kind, file } of sources) {
    const real = kind === 'user' ? await realpath(file) : file
    const mount = policy.files.mount.find((each) => each.mode === 'rw' && isWithin(real, each.path))
    if (mount !== undefined && kind === 'user') {
      throw new Failure('policy/untrusted-file', {
        file: show(file, 300),
        reason: `it lies in ${show(mount.path, 300)}, which the cell may write (${whereOf(mount.origin)})`,
      })
    }
  }
}
