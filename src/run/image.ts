// The image of a run's cell, for engines whose system is one: built once, found by one question to the engine after that. Loaded by such runs alone.
import { ensureImage } from '../images/ensure.ts'
import { programInImage } from '../images/dockerfile.ts'
import { Failure } from '../errors/failure.ts'
import type { Agent, AgentContext } from '../model/agent.ts'
import type { Engine } from '../model/engine.ts'
import type { Emit } from '../model/events.ts'
import type { Image } from '../model/image.ts'
import type { Policy } from '../model/policy.ts'
import type { RunContext } from './context.ts'

export interface OpenedImage {
  readonly image: Image
  /** The agent's program in it; undefined for a plain command. */
  readonly installed: AgentContext['installed']
}

/** @throws Failure of the groups `image` and `engine` */
export async function openImage(input: {
  readonly engine: Engine
  readonly policy: Policy
  readonly agent: Agent
  readonly project: string
  readonly context: RunContext
  readonly emit: Emit
  readonly signal: AbortSignal
}): Promise<OpenedImage> {
  const { engine, policy, agent, project, context, emit, signal } = input
  const program = await engine.imageProgram()
  if (program === undefined) throw new Failure('engine/bad-plan', { why: `${engine.traits.title} has no program that makes images` })
  const { distribution, title } = agent
  const image = await ensureImage({
    program,
    rule: policy.image,
    agent: distribution === undefined ? undefined : { title, distribution },
    project,
    stateDir: context.folders.state,
    hostEnv: context.env,
    hostHome: context.home,
    onStep: (message) => emit({ kind: 'image.step', message }),
    signal,
  })
  const installed =
    distribution === undefined ? undefined : { path: programInImage(distribution), version: policy.image?.version ?? distribution.pinned }
  return { image, installed }
}
