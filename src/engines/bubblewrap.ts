// The engine that builds the wall from user namespaces, with bubblewrap inside a supervisor of our own. One member of list.ts.
import type { Engine } from '../model/engine.ts'
import { groupFolders, reapGroups } from './bubblewrap/cgroup.ts'
import { compile } from './bubblewrap/compile.ts'
import { examine } from './bubblewrap/examine.ts'
import { findBubblewrap, lookUpFacts } from './bubblewrap/facts.ts'
import { begin, launch } from './bubblewrap/launch.ts'

export const bubblewrap: Engine = {
  traits: {
    name: 'bubblewrap',
    title: 'bubblewrap',
    system: 'host',
    wall: 'a flaw in the Linux kernel that can be reached through the allowed system calls',
    can: {
      live: true,
      review: true,
      readonly: true,
      covers: true,
      'late-covers': true,
      'git-config': true,
      terminal: true,
      'own-kernel': 'cells share the kernel of the machine',
      'limit-memory': true,
      'limit-processes': true,
      'limit-cpus': true,
      'limit-time': true,
      'limit-tmp': true,
      'limit-file-size': true,
      'limit-open-files': true,
    },
  },
  examine,
  plausible: () => findBubblewrap() !== undefined,
  imageProgram: async () => undefined,
  facts: async () => lookUpFacts(),
  compile,
  begin: async (input) => {
    const facts = lookUpFacts()
    return { ...begin({ ...input, folders: groupFolders(input, facts) }), facts }
  },
  launch,
  reap: reapGroups,
}
