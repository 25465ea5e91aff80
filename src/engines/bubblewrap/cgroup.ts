// The cell's control group, where the caller may make one: cgroup v2 beside its own, or v1 below its own (cgroups(7)).
// Made by launch, joined by the supervisor's child, taken away after the end or by the next start's reap.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineFacts } from '../../model/engine.ts'
import type { Plan } from '../../model/plan.ts'

const period = 100_000 // microseconds

/** Parent folders in which a group of the cell can be made, by controller; absent where there is none. */
export interface GroupParents {
  readonly memory?: string
  readonly pids?: string
  readonly cpu?: string
}

/** Reads /proc/self/{mountinfo,cgroup}. No side effect. */
export function findGroupParents(): GroupParents {
  const own = ownGroups(readFileSync('/proc/self/cgroup', 'utf8'))
  const found: { memory?: string; pids?: string; cpu?: string } = {}
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [before, after] = line.split(' - ')
    const [, , , root, mountPoint] = (before ?? '').split(' ')
    const [type, , options] = (after ?? '').split(' ')
    if (root === undefined || mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue
    for (const controller of ['memory', 'pids', 'cpu'] as const) {
      const group = type === 'cgroup2' ? own.get('') : options?.split(',').includes(controller) ? own.get(controller) : undefined
      if (group === undefined || found[controller] !== undefined) continue
      const folder = path.join(mountPoint, path.relative(root, group))
      const parent = type === 'cgroup2' ? siblingParent(folder, mountPoint, controller) : folder
      if (parent !== undefined && writable(parent)) found[controller] = parent
    }
  }
  return found
}

function ownGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>()
  for (const line of text.trim().split('\n')) {
    const [, controllers, ...rest] = line.split(':')
    for (const controller of (controllers ?? '').split(',')) groups.set(controller.replace(/^name=/, ''), rest.join(':'))
  }
  return groups
}

/** v2 allows processes in leaves only, so the new group lies beside the caller's, not below it. */
function siblingParent(folder: string, mountPoint: string, controller: string): string | undefined {
  const parent = folder === mountPoint ? folder : path.dirname(folder)
  const control = path.join(parent, 'cgroup.subtree_control')
  return existsSync(control) && readFileSync(control, 'utf8').trim().split(' ').includes(controller) ? parent : undefined
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    accessSync(path.join(folder, 'cgroup.procs'), constants.W_OK)
    return true
  } catch (error) {
    if (error instanceof Error) return false // the answer to the question, not a fault
    throw error
  }
}

const groupFacts = { memory: 'groupMemory', processes: 'groupPids', cpus: 'groupCpu' } as const

/** The folders of this cell's group: only for limits that are set. One with v2, up to three with v1. */
export function groupFolders(plan: Pick<Plan, 'session' | 'limits'>, facts: EngineFacts): readonly string[] {
  const parents = (['memory', 'processes', 'cpus'] as const).flatMap((name) => {
    const parent = facts[groupFacts[name]]
    return plan.limits[name] !== undefined && typeof parent === 'string' && parent !== '' ? [parent] : []
  })
  return [...new Set(parents)].map((parent) => path.join(parent, groupName(plan.session)))
}

/**
 * Where a process of one thread joins a group, which need not be there yet. With version 1 that is `tasks`: moving a single thread takes no lock over all
 * forks of the machine, which a first writer of `cgroup.procs` waits for some 15 ms (kernel/cgroup/cgroup.c, cgroup_procs_write_start).
 */
export function joinFile(folder: string): string {
  return path.join(folder, existsSync(path.join(path.dirname(folder), 'tasks')) ? 'tasks' : 'cgroup.procs')
}

function groupName(session: string): string {
  return `anchorhold-${session.replaceAll(/[^\w-]/g, '_')}`
}

/** Makes the folders and writes the limits; throws what the kernel says. */
export function makeGroups(folders: readonly string[], limits: Plan['limits']): void {
  for (const folder of folders) {
    mkdirSync(folder)
    const set = (file: string, value: string | number): void => {
      if (existsSync(path.join(folder, file))) writeFileSync(path.join(folder, file), String(value))
    }
    if (limits.memory !== undefined) {
      set('memory.max', limits.memory)
      set('memory.swap.max', 0)
      set('memory.limit_in_bytes', limits.memory)
      set('memory.memsw.limit_in_bytes', limits.memory)
    }
    // bubblewrap and the cell's init are in the group too.
    if (limits.processes !== undefined) set('pids.max', limits.processes + 2)
    if (limits.cpus !== undefined) {
      set('cpu.max', `${Math.round(limits.cpus * period)} ${period}`)
      set('cpu.cfs_quota_us', Math.round(limits.cpus * period))
    }
  }
}

/** How many processes the kernel killed for memory. */
export function countOomKills(folders: readonly string[]): number {
  let kills = 0
  for (const folder of folders) {
    for (const file of ['memory.events', 'memory.oom_control']) {
      if (!existsSync(path.join(folder, file))) continue
      kills += Number(/^oom_kill (\d+)$/m.exec(readFileSync(path.join(folder, file), 'utf8'))?.[1] ?? 0)
    }
  }
  return kills
}

/** Takes the emptied folders away. A group with processes in it stays, for `reap`; true when none did. */
export function removeGroups(folders: readonly string[]): boolean {
  let all = true
  for (const folder of folders) {
    try {
      rmdirSync(folder)
    } catch (error) {
      if (isCode(error, 'EBUSY')) all = false
      else if (!isCode(error, 'ENOENT')) throw error
    }
  }
  return all
}

/** Kills what is left in groups of this session and removes them; returns what was done, in words. */
export async function reapGroups(session: string): Promise<readonly string[]> {
  const done = new Set<string>()
  for (const parent of new Set(Object.values(findGroupParents()))) {
    if (parent === undefined || !readdirSync(parent).includes(groupName(session))) continue
    const folder = path.join(parent, groupName(session))
    // A killed process leaves its group a moment later, and one that forked meanwhile left a child.
    for (let tries = 0; !removeGroups([folder]) && tries < 200; tries++) {
      for (const pid of membersOf(folder)) if (killNow(pid)) done.add(`killed process ${pid}`)
      await sleep(10)
    }
    done.add(existsSync(folder) ? `could not remove control group ${folder}` : `removed control group ${folder}`)
  }
  return [...done]
}

function membersOf(folder: string): readonly number[] {
  return readFileSync(path.join(folder, 'cgroup.procs'), 'utf8').trim().split('\n').filter(Boolean).map(Number)
}

function killNow(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
