// Which engines the contract suite is run on here.
import { bubblewrap } from '../../src/engines/bubblewrap.ts'
import { docker } from '../../src/engines/docker.ts'
import type { Engine } from '../../src/model/engine.ts'
import { containerEngine, notTested, type ContainerProgram } from '../support/containers.ts'
import { images } from './support.ts'

/** Engines of the contract suite that this machine has; the others are named by a test (support/containers.ts). */
const tested: Engine[] = [bubblewrap]
export const testedEngines: readonly Engine[] = tested
for (const engine of [docker]) {
  const here = await containerEngine(engine.traits.name as ContainerProgram)
  if (typeof here === 'string') {
    notTested(`the contract of engines (${engine.traits.name})`, engine.traits.name, here)
    continue
  }
  // Engines ask their program as this process's user has it set up.
  const { HOME: _home, PATH: _path, ...own } = here.env
  Object.assign(process.env, own)
  images.set(engine, { reference: here.base, id: here.base })
  tested.push(engine)
}
