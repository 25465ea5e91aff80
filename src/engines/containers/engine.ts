// One engine of the list from what its program is called and how it differs. The code is loaded by runs that use it.
import type { Engine, Traits } from '../../model/engine.ts'
import type { Dialect } from './dialect.ts'

const can: Traits['can'] = {
  live: true,
  review: 'the view of a review is not laid into a container',
  readonly: true,
  covers: true,
  'late-covers': 'nothing can be laid over a path of a running container; what is planted is still taken away',
  'git-config': 'a link cannot be laid over a file of a container; .git/config is read-only there',
  terminal: true,
  'own-kernel': 'cells share the kernel of the machine',
  'limit-memory': true,
  'limit-processes': true,
  'limit-cpus': true,
  'limit-time': true,
  'limit-tmp': true,
  'limit-file-size': true,
  'limit-open-files': true,
}

export function containerEngine(traits: Omit<Traits, 'system' | 'can'>, dialectOf: () => Promise<Dialect>): Engine {
  return {
    traits: { ...traits, system: 'image', can },
    plausible: () => false,
    examine: async () => (await import('./examine.ts')).examine(await dialectOf()),
    imageProgram: async () => (await import('./look.ts')).programOf(await dialectOf()),
    facts: async (plan) => {
      const stdio = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const
      return (await import('./facts.ts')).lookUpFacts(await dialectOf(), plan.image, stdio)
    },
    compile: async (plan, facts) => {
      const { refuseSockets, withPresentCovers } = await import('./present.ts')
      refuseSockets(plan)
      return (await import('./compile.ts')).compile(await dialectOf(), withPresentCovers(plan), facts)
    },
    begin: async (input) => (await import('./launch.ts')).begin(await dialectOf(), input),
    launch: async (plan, compiled, options) => (await import('./launch.ts')).launch(await dialectOf(), plan, compiled, options),
    reap: async (session) => (await import('./reap.ts')).reap(await dialectOf(), session),
  }
}
