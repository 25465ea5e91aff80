// What a run's policy and caller amount to, where one look tells. Pure, but for a link of the caller's folder.
import { realpathSync } from 'node:fs'
import { Failure } from '../errors/failure.ts'
import { isWithin } from '../host/paths.ts'
import type { Engine } from '../model/engine.ts'
import type { Policy } from '../model/policy.ts'
import { isAboutRequests } from '../policy/judge.ts'
import type { RunContext } from './context.ts'

/** What an engine cannot do is refused before anything starts, never left out. */
export function refuseUnable({ can, title }: Engine['traits'], { workspace: { mode } }: Policy): void {
  const why = can[mode]
  if (why !== true) throw new Failure('engine/cannot', { engine: title, what: `workspace ${mode}`, why })
}

/** Whether requests to models may be read: for the budget, or for another reason; or they come in plain HTTP to where a variable sends them. */
export function mayMeter({ budget, secrets, network, env }: Policy): boolean {
  return (
    budget !== undefined ||
    secrets.length > 0 ||
    network.rules.some(isAboutRequests) ||
    network.routes.some(({ to }) => to.scheme === 'http') ||
    env.some(({ name }) => name.endsWith('_BASE_URL'))
  )
}

/** What the policy's `env` amounts to: given values, and the caller's for the rest. */
export function givenEnv(rules: Policy['env'], env: RunContext['env']): Readonly<Record<string, string>> {
  return Object.fromEntries(rules.flatMap(({ name, value = env[name] }) => (value === undefined ? [] : [[name, value]])))
}

/** The caller's folder where it lies in the project, else the project itself. */
export function startFolder(project: string, cwd: string): string {
  const real = realpathSync(cwd)
  return isWithin(real, project) ? real : project
}
