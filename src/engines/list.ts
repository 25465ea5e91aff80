// The axis of engines: a new one is one file beside this and one line here.
import { Failure } from '../errors/failure.ts'
import type { Engine } from '../model/engine.ts'
import type { EngineChoice } from '../model/policy.ts'
import { bubblewrap } from './bubblewrap.ts'

/** In the order in which `auto` tries them. */
export const engines: readonly Engine[] = [bubblewrap]

/**
 * The engine of that name, or for `auto` the first that can work here. Never a weaker one than was asked for:
 * throws Failure('engine/not-available') or Failure('engine/none') with what is missing and its remedy.
 */
export async function selectEngine(choice: EngineChoice, from: readonly Engine[] = engines): Promise<Engine> {
  const candidates = choice === 'auto' ? from : from.filter((engine) => engine.traits.name === choice)
  if (candidates.length === 0) {
    const names = from.map((engine) => engine.traits.name).join(', ')
    throw new Failure('engine/not-available', { engine: choice, why: 'this version does not have it', remedy: `Choose one of: ${names}` })
  }
  const missing: { readonly what: string; readonly remedy: string }[] = []
  for (const engine of candidates) {
    const lacks = (await engine.examine()).filter((finding) => finding.level === 'missing')
    if (lacks.length === 0) return engine
    missing.push(...lacks.map(({ what, remedy }) => ({ what, remedy: remedy ?? 'See: anchorhold doctor' })))
  }
  const facts = { why: missing.map(({ what }) => what).join('; '), remedy: missing.map(({ remedy }) => remedy).join('\n') }
  throw choice === 'auto' ? new Failure('engine/none', facts) : new Failure('engine/not-available', { engine: choice, ...facts })
}
