// Shared by policy, explain, trust and init: the options that name a policy, and loading it the way a run would.
import type { Command } from 'commander'
import { findAgent } from '../agents/list.ts'
import { loadPolicy, type LoadedPolicy, type LoadInput } from '../policy/load.ts'
import { registries } from '../registries/list.ts'
import { processContext } from '../run/context.ts'
import { openProject } from '../workspace/project.ts'

export interface PolicyFlags {
  readonly project?: string
  readonly agent?: string
  readonly policy?: string
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly route?: readonly string[]
  readonly json?: boolean
}

/** The options of `run` that change what the effective policy is. */
export function withPolicyOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]
  return command
    .option('--project <dir>', 'the project (default: this folder)')
    .option('--agent <name>', 'as if this agent ran (its hosts are allowed)')
    .option('--policy <file>', "a policy file instead of the user's own")
    .option('--allow <host[:port]>', 'as in run (repeatable)', collect)
    .option('--deny <host[:port]>', 'as in run (repeatable)', collect)
    .option('--route <host[:port]=address>', 'as in run (repeatable)', collect)
    .option('--json', 'one JSON object')
}

/** What loadPolicy is given here. Throws Failure for a folder that can't be a project or an agent that is not known. */
export async function loadInput(flags: PolicyFlags): Promise<LoadInput> {
  const { env, home, cwd, folders } = processContext()
  const { project: given, agent, json: _json, ...rest } = flags
  const { policy, allow, deny, route } = rest
  const project = await openProject(given ?? cwd, home, Object.values(folders))
  const options = {
    args: [],
    ...(agent === undefined ? {} : { agent }),
    ...(policy === undefined ? {} : { policy }),
    ...(allow === undefined ? {} : { allow }),
    ...(deny === undefined ? {} : { deny }),
    ...(route === undefined ? {} : { route }),
  }
  const agentPresets = agent === undefined ? [] : findAgent(agent).presets
  return { options, project, agentPresets, registries, hostEnv: env, hostHome: home, configDir: folders.config, stateDir: folders.state }
}

/** The effective policy of a run with these flags. */
export async function loadEffective(flags: PolicyFlags): Promise<LoadedPolicy & { readonly input: LoadInput }> {
  const input = await loadInput(flags)
  return { ...(await loadPolicy(input)), input }
}
