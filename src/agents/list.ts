// The agents, one line each. Next to it: one file per agent; the planner asks here for the one a run names.
import { Failure } from '../errors/failure.ts'
import type { Agent } from '../model/agent.ts'
import { claude } from './claude.ts'
import { command } from './command.ts'

/** Every agent that `anchorhold run NAME` knows. */
export const agents: readonly Agent[] = [claude]

/** Whether a word of the command line names an agent (else it starts a plain command). */
export function isAgent(word: string): boolean {
  return agents.some((agent) => agent.name === word)
}

/**
 * The agent of a run; without a name, the plain command.
 * @throws Failure 'agent/unknown'
 */
export function findAgent(name: string | undefined): Agent {
  if (name === undefined || name === command.name) return command
  const found = agents.find((agent) => agent.name === name)
  if (found === undefined) throw new Failure('agent/unknown', { name, known: agents.map((agent) => agent.name).join(', ') })
  return found
}
