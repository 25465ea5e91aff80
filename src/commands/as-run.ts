// What a run here would be made of beside its policy: the agent's files and variables, the system folders. Nothing of it is kept.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { findAgent } from '../agents/list.ts'
import { readSystem } from '../host/system.ts'
import type { Agent, Prepared } from '../model/agent.ts'
import type { Mount } from '../model/plan.ts'
import type { Policy } from '../model/policy.ts'
import { makeIdentity } from '../plan/identity.ts'
import { makeEnvironment } from '../plan/environment.ts'
import { defaultTmpBytes, hostMounts, systemMounts } from '../plan/system-mounts.ts'
import type { LoadInput } from '../policy/load.ts'

export interface AsRun {
  readonly agent: Agent
  /** The command's whole environment, and the names that the policy passes though they are not set. */
  readonly env: Readonly<Record<string, string>>
  readonly unset: readonly string[]
  /** Names that the agent or anchorhold itself sets, whatever the caller has. */
  readonly agentEnv: Prepared['env']
  readonly home: string
  /** System folders and the agent's, without the project and the policy's mounts. */
  readonly mounts: readonly Mount[]
}

/** @throws Failure of the agent, as the run would */
export async function asRun(policy: Policy, { options, project, hostEnv, hostHome }: LoadInput): Promise<AsRun> {
  const agent = findAgent(options.agent ?? policy.agent)
  const identity = makeIdentity({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
  const prepared = await prepareNowhere(agent, { hostEnv, hostHome, project, home: identity.home, policy })
  const mounts = policy.files.mount.map((mount) => ({ kind: 'bind' as const, from: mount.path, to: mount.path, mode: mount.mode }))
  const visible = [...prepared.mounts, ...mounts].flatMap((mount) => (mount.kind === 'bind' && mount.mode === 'ro' ? [mount.to] : []))
  const { env, unset } = makeEnvironment({
    hostEnv,
    identity,
    agentEnv: prepared.env,
    passEnv: agent.passEnv,
    rules: policy.env,
    placeholders: Object.fromEntries(policy.secrets.map(({ name }) => [name, `a placeholder of ${name}`])),
    visible,
  })
  const system = [...hostMounts(readSystem()), ...systemMounts(identity, policy.limits.tmp ?? defaultTmpBytes)]
  return { agent, env, unset, agentEnv: prepared.env, home: identity.home, mounts: [...system, ...prepared.mounts] }
}

interface PrepareInput extends Pick<LoadInput, 'hostEnv' | 'hostHome' | 'project'> {
  readonly home: string
  readonly policy: Policy
}

/** An agent writes its starting files into its home: here into a folder that is gone afterwards. */
async function prepareNowhere(agent: Agent, { policy, ...input }: PrepareInput): Promise<Prepared> {
  const homeFolder = await mkdtemp(path.join(os.tmpdir(), 'anchorhold-explain-'))
  try {
    return await agent.prepare({
      ...input,
      homeFolder,
      mode: policy.permissions.mode,
      allow: policy.permissions.allow,
      // A plain command has to be some command.
      args: agent.name === 'command' ? ['true'] : [],
    })
  } finally {
    await rm(homeFolder, { recursive: true, force: true })
  }
}
