// The engine that runs cells as containers of Docker. One member of list.ts.
import type { Engine } from '../model/engine.ts'
import { containerEngine } from './containers/engine.ts'

export const docker: Engine = containerEngine(
  {
    name: 'docker',
    title: 'Docker',
    wall: 'a flaw in the Linux kernel that can be reached through the allowed system calls, or one in runc',
  },
  async () => (await import('./containers/dialect.ts')).docker,
)
