// How each limit of a plan is kept by a container engine, or why it can't be. Pure.
import type { EnforcedLimit, EngineFacts } from '../../model/engine.ts'
import type { Limits, WorkspaceMode } from '../../model/policy.ts'

type Name = keyof Limits

/** One row per limit that is set. */
export function enforceLimits(limits: Limits, facts: EngineFacts, workspace: WorkspaceMode): readonly EnforcedLimit[] {
  return (Object.entries(limits) as [Name, number | undefined][]).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value, ...how(name, facts, workspace) }],
  )
}

const group = (there: boolean): Pick<EnforcedLimit, 'enforced' | 'how'> =>
  there ? { enforced: true, how: 'cgroup' } : { enforced: false, how: 'the engine has no control group for it here' }

function how(name: Name, facts: EngineFacts, workspace: WorkspaceMode): Pick<EnforcedLimit, 'enforced' | 'how'> {
  switch (name) {
    case 'time':
      return { enforced: true, how: 'timer' }
    case 'openFiles':
    case 'fileSize':
      return { enforced: true, how: 'rlimit' }
    case 'tmp':
      return { enforced: true, how: 'tmpfs size' }
    case 'disk':
      return { enforced: false, how: `a ${workspace} workspace keeps nothing apart that could be measured` }
    case 'memory':
      return group(facts['memory'] === true)
    case 'processes':
      return group(facts['pids'] === true)
    case 'cpus':
      return group(facts['cpu'] === true)
  }
}

/** The engine's options for the rows that it keeps. */
export function limitOptions(rows: readonly EnforcedLimit[]): readonly string[] {
  return rows.flatMap(({ name, value, enforced }) => {
    if (!enforced) return []
    switch (name) {
      case 'memory':
        return ['--memory', String(value), '--memory-swap', String(value)]
      case 'processes':
        return ['--pids-limit', String(value + 2)] // process 1 and what stays beside the command are counted too
      case 'cpus':
        return ['--cpus', String(value)]
      case 'openFiles':
        return ['--ulimit', `nofile=${value}:${value}`]
      case 'fileSize':
        return ['--ulimit', `fsize=${value}:${value}`]
      case 'time':
      case 'tmp':
      case 'disk':
        return []
    }
  })
}
