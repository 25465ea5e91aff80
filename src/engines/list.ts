// The axis of engines: a new one is one file beside this and one line here.
import { Failure } from '../errors/failure.ts'
import type { Engine, Finding } from '../model/engine.ts'
import type { EngineChoice } from '../model/policy.ts'
import { bubblewrap } from './bubblewrap.ts'
import { docker } from './docker.ts'

/** In the order in which `auto` tries them. */
export const engines: readonly Engine[] = [bubblewrap, docker]

/**
 * The engine of that name, or for `auto` the first that can work here. Never a weaker one than was asked for:
 * throws Failure('engine/not-available') or Failure('engine/none') with what is missing and its remedy.
 */
export async function selectEngine(choice: EngineChoice, from: readonly Engine[] = engines): Promise<Engine> {
  const missing: Finding[] = []
  for (const engine of candidates(choice, from)) {
    const lacks = await missingFor(engine)
    if (lacks.length === 0) return engine
    missing.push(...lacks)
  }
  throw notHere(choice, missing)
}

/**
 * The same for a run, where every millisecond counts: an engine without rival is taken unexamined, and so is the first for `auto` where a glance
 * finds it. Its launch fails closed where something is missing, and `explainStart` then says what.
 */
export async function takeEngine(choice: EngineChoice, from: readonly Engine[] = engines): Promise<Engine> {
  const [only, ...others] = candidates(choice, from)
  return only !== undefined && (others.length === 0 || only.plausible()) ? only : selectEngine(choice, from)
}

/** What to tell the user of a cell that could not be made: what is missing on this machine, or else `failure` itself. */
export async function explainStart(engine: Engine, failure: unknown): Promise<unknown> {
  const missing = await missingFor(engine)
  return missing.length === 0 ? failure : notHere(engine.traits.name, missing)
}

function candidates(choice: EngineChoice, from: readonly Engine[]): readonly Engine[] {
  const found = choice === 'auto' ? from : from.filter((engine) => engine.traits.name === choice)
  if (found.length > 0) return found
  const names = from.map((engine) => engine.traits.name).join(', ')
  throw new Failure('engine/not-available', { engine: choice, why: 'this version does not have it', remedy: `Choose one of: ${names}` })
}

async function missingFor(engine: Engine): Promise<readonly Finding[]> {
  return (await engine.examine()).filter((finding) => finding.level === 'missing')
}

function notHere(choice: EngineChoice, missing: readonly Finding[]): Failure {
  const why = missing.map(({ what }) => what).join('; ')
  const remedy = missing.map(({ remedy: mend }) => mend ?? 'See: anchorhold doctor').join('\n')
  return choice === 'auto'
    ? new Failure('engine/none', { why, remedy })
    : new Failure('engine/not-available', { engine: choice, why, remedy })
}
