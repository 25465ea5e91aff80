// A plain command as an agent: nothing to find, nothing to prepare. Chosen by list.ts when a run names no agent.
import { Failure } from '../errors/failure.ts'
import type { Agent } from '../model/agent.ts'
import { commonPassEnv } from './pass-env.ts'
import { nodeToolchain } from './toolchain.ts'

export const command: Agent = {
  name: 'command',
  title: 'plain command',
  presets: [],
  passEnv: commonPassEnv,
  secrets: async () => [],
  distribution: undefined,
  examine: async () => [],
  prepare: async ({ args, fromImage, ...search }) => {
    if (args[0] === undefined || args[0] === '') throw new Failure('agent/no-command')
    return { argv: args, env: {}, mounts: fromImage === true ? [] : await nodeToolchain(search) }
  },
}
