// How each limit of a plan is kept on this machine, or why it can't be. Pure; the supervisor and cgroup.ts act on the rows.
import type { EnforcedLimit, EngineFacts } from '../../model/engine.ts'
import type { Limits, WorkspaceMode } from '../../model/policy.ts'

type Name = keyof Limits

/** One row per limit that is set, in the order of the policy's table. */
export function enforceLimits(limits: Limits, facts: EngineFacts, workspace: WorkspaceMode): readonly EnforcedLimit[] {
  return (Object.entries(limits) as [Name, number | undefined][]).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value, ...how(name, value, facts, workspace) }],
  )
}

function how(name: Name, value: number, facts: EngineFacts, workspace: WorkspaceMode): Pick<EnforcedLimit, 'enforced' | 'how'> {
  switch (name) {
    case 'time':
      return { enforced: true, how: 'timer' }
    case 'openFiles':
    case 'fileSize':
      return { enforced: true, how: 'rlimit' }
    case 'tmp':
      return { enforced: true, how: 'tmpfs size' }
    case 'disk':
      return workspace === 'review'
        ? { enforced: true, how: 'measured as it grows' }
        : { enforced: false, how: `a ${workspace} workspace keeps nothing apart that could be measured` }
    case 'memory':
      return { enforced: true, how: facts['groupMemory'] ? 'cgroup' : 'watched every 250 ms' }
    case 'processes':
      if (facts['groupPids']) return { enforced: true, how: 'cgroup' }
      // The kernel never counts the processes of root (user_namespaces(7), kernel/fork.c).
      if (facts['root']) return { enforced: false, how: 'root needs a control group for this, and none can be made here' }
      return { enforced: true, how: 'user namespace' }
    case 'cpus': {
      if (facts['groupCpu']) return { enforced: true, how: 'cgroup' }
      const whole = Math.ceil(value)
      if (whole >= Number(facts['processors']))
        return { enforced: false, how: `this machine has ${facts['processors']} processors, and no control group can be made here` }
      const kept = `affinity to ${whole} of ${facts['processors']} processors`
      // Kept as far as it can be, and said so.
      return value === whole ? { enforced: true, how: kept } : { enforced: false, how: `${kept}; parts of one need a control group` }
    }
  }
}
