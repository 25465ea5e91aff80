// What a run here would be made of, gathered for files instead of a run: the policy made concrete for a cell from an image.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { randomBytes } from 'node:crypto'
import { installCopy } from '../agents/own-copy.ts'
import { Failure } from '../errors/failure.ts'
import { listenersFor } from '../gateway/listeners.ts'
import { programInImage } from '../images/dockerfile.ts'
import { checkIntegrity } from '../images/integrity.ts'
import { recipe } from '../images/recipe.ts'
import type { Agent } from '../model/agent.ts'
import type { Cover, Listener, Mount } from '../model/plan.ts'
import type { Policy } from '../model/policy.ts'
import type { HeldSecret } from '../model/secret.ts'
import { makeEnvironment } from '../plan/environment.ts'
import { credentialSettings, gitVariables } from '../plan/git-variables.ts'
import { makeIdentity, type Identity } from '../plan/identity.ts'
import { refuseShown } from '../plan/shown.ts'
import { writableRoots } from '../plan/make.ts'
import { defaultTmpBytes, systemMounts } from '../plan/system-mounts.ts'
import { trustEnv } from '../plan/trust.ts'
import type { LoadInput } from '../policy/load.ts'
import { openWorkspace } from '../workspace/open.ts'
import type { Orders } from './orders.ts'
import { places } from './orders.ts'

export interface ExportedCell {
  readonly project: string
  /** What the cell's home begins with: a folder to copy. */
  readonly home: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly identity: Identity
  /** Binds of the host and files of ours, in order; tmpfs. */
  readonly mounts: readonly Mount[]
  readonly covers: readonly Cover[]
  readonly listeners: readonly Listener[]
  readonly limits: Policy['limits']
  readonly orders: Orders
  /** The Dockerfile, and the folder that it copies the agent from; without one it copies nothing. */
  readonly image: {
    readonly dockerfile: string
    readonly base: string
    readonly program?: { readonly from: string; readonly name: string }
  }
  /** What a run would have besides, each in a sentence. */
  readonly without: readonly string[]
}

export interface CellInput {
  readonly policy: Policy
  readonly agent: Agent
  readonly args: readonly string[]
  readonly load: LoadInput
  /** Of anchorhold. */
  readonly version: string
  /** An empty folder of the caller's own, for as long as the export takes. */
  readonly scratch: string
}

/** @throws Failure 'export/cannot', and those of the agent, the image and the workspace */
export async function gatherCell({ policy, agent, args, load, version, scratch }: CellInput): Promise<ExportedCell> {
  refuse(policy)
  const { project, hostEnv, hostHome } = load
  const caller = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  // No namespace of users is made here: inside is who is outside.
  const identity = { ...makeIdentity(caller), ...caller }
  const image = await imageOf({ policy, agent, load })
  const home = path.join(scratch, 'home')
  await mkdir(home)
  const { distribution } = agent
  const prepared = await agent.prepare({
    hostEnv,
    hostHome,
    project,
    homeFolder: home,
    home: identity.home,
    mode: policy.permissions.mode,
    allow: policy.permissions.allow,
    args,
    fromImage: true,
    ...(distribution === undefined
      ? {}
      : { installed: { path: programInImage(distribution), version: policy.image?.version ?? distribution.pinned } }),
  })
  const secrets = policy.secrets.map((rule) => ({ rule, placeholder: placeholder() }))
  const { env } = makeEnvironment({
    hostEnv,
    identity,
    agentEnv: prepared.env,
    passEnv: agent.passEnv,
    rules: policy.env,
    placeholders: Object.fromEntries(secrets.map((each) => [each.rule.name, each.placeholder])),
    visible: [],
    trust: trustEnv({ bundle: { file: places.bundle, over: [] }, path: places.system }),
  })
  const live = policy.workspace.mode === 'live'
  const binds = [...policy.files.mount, { path: project, mode: 'rw' as const }]
    .toSorted((a, b) => a.path.length - b.path.length)
    .map((mount): Mount => ({ kind: 'bind', from: mount.path, to: mount.path, mode: live ? mount.mode : 'ro' }))
  const listeners = listenersFor(policy.network)
  const mounts = [
    ...systemMounts(identity, policy.limits.tmp ?? defaultTmpBytes).filter(({ kind }) => kind === 'file' || kind === 'tmpfs'),
    { kind: 'tmpfs', to: `/run/user/${identity.uid}`, bytes: 16 * 2 ** 20, mode: 0o700 } as const,
    ...prepared.mounts.filter(({ kind }) => kind === 'file' || kind === 'bind'),
    ...binds,
  ]
  refuseShown(known(policy, hostEnv), { argv: prepared.argv, env, mounts })
  return {
    project,
    home,
    argv: prepared.argv,
    env: { ...env, ...gitVariables(credentialSettings(policy.secrets), env) },
    identity,
    mounts,
    covers: await coversOf(policy, project, { scratch, home: identity.home, hostHome }),
    listeners,
    limits: policy.limits,
    orders: {
      project,
      agent: agent.name,
      argv: args,
      workspace: policy.workspace.mode,
      permissions: policy.permissions.mode,
      policyDigest: policy.digest,
      version,
      network: policy.network,
      secrets,
      listeners,
    },
    image,
    without: leftOut(policy),
  }
}

/** What would be weaker in files than in a run is refused, unless `leftOut` says it. */
function refuse({ workspace, budget, secrets, permissions }: Policy): void {
  const cannot = (what: string, instead: string): never => {
    throw new Failure('export/cannot', { what, instead })
  }
  if (workspace.mode === 'review') cannot('a review', 'workspace: { mode: live } or readonly')
  if (budget !== undefined && budget.length > 0) cannot('a budget', 'a policy without one, and a limit at the provider')
  // Nothing runs without prompts where nobody has shown that the wall holds.
  if (permissions.mode === 'auto') cannot('the mode auto, which asks for a proof of the wall', 'mode ask or allow-listed')
  const odd = secrets.find(({ aws, from }) => aws !== undefined || (from.kind === 'login' && from.format !== 'claude'))
  if (odd !== undefined) cannot(`the secret ${odd.name}`, 'a secret that is put into requests as it is')
}

function leftOut({ workspace, limits, secrets }: Policy): readonly string[] {
  return [
    ...(workspace.mode === 'live'
      ? [
          'A protected file that is not there yet is not kept from appearing, and nothing is taken away at the end: look at what is new before the host runs it.',
        ]
      : []),
    ...(limits.time === undefined ? [] : ['The limit on time is not kept.']),
    ...(secrets.some(({ from }) => from.kind === 'login') ? ['A login is not refreshed: its variable holds a token that you renew.'] : []),
    'No check inside the cell runs before its command, and processes of the cell reach sockets that lie as files in the project.',
  ]
}

/** Values that the caller has at hand: nothing asks for another one here. */
function known({ secrets }: Policy, hostEnv: LoadInput['hostEnv']): readonly HeldSecret[] {
  return secrets.flatMap((rule) => {
    const value = rule.from.kind === 'env' ? hostEnv[rule.from.variable] : undefined
    if (value === undefined || value === '') return []
    return [{ rule, placeholder: '', current: async () => value, values: () => [value] }]
  })
}

/** Its real value is nobody's business here. */
function placeholder(): string {
  return `anchorhold-${randomBytes(20).toString('hex')}`
}

async function imageOf({ policy, agent, load }: Omit<CellInput, 'args' | 'version' | 'scratch'>): Promise<ExportedCell['image']> {
  const { project, hostEnv, hostHome, stateDir } = load
  const { distribution, title } = agent
  await using made = await recipe({
    rule: policy.image,
    agent: distribution === undefined ? undefined : { title, distribution },
    project,
    stateDir,
  })
  if (made.source.kind === 'built')
    throw new Failure('export/cannot', {
      what: 'an image that is built from files of a project',
      instead: 'its name (image: NAME) after building it',
    })
  const image = { dockerfile: made.text, base: made.complete ? made.base : '' }
  if (distribution === undefined) return image
  const { version } = made
  const copy = await installCopy(distribution, title, { hostEnv, hostHome, project, version })
  const folder = path.dirname(copy.path)
  await checkIntegrity({ folder, distribution, version, platform: { arch: process.arch === 'arm64' ? 'arm64' : 'x64', libc: 'glibc' } })
  return { ...image, program: { from: path.join(folder, distribution.platformProgram), name: distribution.platformProgram } }
}

/** As a run finds them; nothing is watched or kept. */
async function coversOf(
  policy: Policy,
  project: string,
  { scratch, home, hostHome }: { readonly scratch: string; readonly home: string; readonly hostHome: string },
): Promise<readonly Cover[]> {
  const sessionFolder = path.join(scratch, 'sessions', 'export')
  await mkdir(sessionFolder, { recursive: true, mode: 0o700 })
  const workspace = await openWorkspace({
    project,
    roots: writableRoots(policy, project),
    files: policy.files,
    mode: policy.workspace.mode,
    sessionFolder,
    hostHome,
    home,
    emit: () => undefined,
    signal: new AbortController().signal,
  })
  await workspace.close()
  return workspace.covers
}
