// Shared by policy, explain, trust and init: the options that name a policy, and loading it the way a run would.
import type { Command } from 'commander'
import { findAgent } from '../agents/list.ts'
import { loadPolicy, type LoadedPolicy, type LoadInput } from '../policy/load.ts'
import { registries } from '../registries/list.ts'
import { processContext } from '../run/context.ts'
import { openProject } from '../workspace/project.ts'
import { once, withRunOptions, type PolicyOptions } from './run-options.ts'

export interface PolicyFlags extends PolicyOptions {
  readonly agent?: string
  readonly json?: boolean
}

/** The options of `run` that change what the effective policy is. */
export function withPolicyOptions(command: Command): Command {
  return withRunOptions(command)
    .option('--agent <name>', "as if this agent ran (default: the policy's)", once('--agent'))
    .option('--json', 'one JSON object')
}

/** What loadPolicy is given here. Throws Failure for a folder that can't be a project or an agent that is not known. */
export async function loadInput(flags: PolicyFlags): Promise<LoadInput> {
  const { env, home, cwd, folders } = processContext()
  const { json: _json, ...given } = flags
  const project = await openProject(given.project ?? cwd, home, Object.values(folders))
  const agentPresets = (name: string | undefined): readonly string[] => findAgent(name).presets
  return {
    options: { ...given, args: [] },
    project,
    agentPresets,
    agentSecrets: (name, taken) => findAgent(name).secrets({ hostEnv: env, hostHome: home, taken }),
    registries,
    hostEnv: env,
    hostHome: home,
    configDir: folders.config,
    stateDir: folders.state,
  }
}

/** The effective policy of a run with these flags. */
export async function loadEffective(flags: PolicyFlags): Promise<LoadedPolicy & { readonly input: LoadInput }> {
  const input = await loadInput(flags)
  const loaded = await loadPolicy(input)
  return { ...loaded, input }
}
