// An engine of which only `reap` is used; it tells a witness.
import type { Engine } from '../../src/model/engine.ts'

export function witnessEngine(witness: (session: string) => void): Engine {
  const unused = () => {
    throw new Error('only reap is used here')
  }
  return {
    traits: { name: 'bubblewrap', title: 'bubblewrap', system: 'host', wall: '', can: {} as Engine['traits']['can'] },
    examine: unused,
    plausible: unused,
    imageProgram: unused,
    compile: unused,
    facts: unused,
    begin: unused,
    launch: unused,
    reap: async (session) => {
      witness(session)
      return ['ended 1 process']
    },
  }
}
