// Tells whether a process noted down earlier is still the same one, also after its pid was given to another.
// Used by session/ for records, running markers and claims.
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process by more than its number. `start`: clock ticks since boot; `machine`: host name, boot id and pid namespace. */
export interface ProcessMark {
  readonly pid: number
  readonly start: number
  readonly machine: string
}

export type Liveness = 'alive' | 'gone' | 'elsewhere'

/** Start time of a process in clock ticks since boot, or undefined when there is none (proc_pid_stat(5), field 22). Zombies count as gone. */
export function processStart(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name in field 2 may hold spaces and brackets: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const start = Number(fields[19])
  return state === 'Z' || state === 'X' || !Number.isSafeInteger(start) ? undefined : start
}

/** The mark of this very process. */
export function ownMark(): ProcessMark {
  return { pid: process.pid, start: processStart(process.pid) ?? 0, machine: machineMark() }
}

/** "host/boot id/pid namespace", without blanks. */
export function machineMark(): string {
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim().replaceAll('-', '').slice(0, 12) ?? 'unknown'
  const namespace = link('/proc/self/ns/pid')?.replace(/\D/g, '') ?? 'unknown'
  return `${hostname()
    .replace(/[^\w.-]/g, '_')
    .slice(0, 64)}/${boot}/${namespace}`
}

/** 'elsewhere': noted on another machine or in another pid namespace, where this one can't look; never treat it as gone. */
export function liveness(mark: ProcessMark, here: string = machineMark()): Liveness {
  const [host, boot, namespace] = mark.machine.split('/')
  const [ownHost, ownBoot, ownNamespace] = here.split('/')
  if (host !== ownHost) return 'elsewhere'
  if (boot !== ownBoot) return 'gone'
  if (namespace !== ownNamespace) return 'elsewhere'
  return processStart(mark.pid) === mark.start ? 'alive' : 'gone'
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return missing(error)
  }
}

function link(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch (error) {
    return missing(error)
  }
}

/** A process that ended while it was read gives ENOENT or ESRCH. Anything else is as unknown: undefined too. */
function missing(error: unknown): undefined {
  if (!(error instanceof Error)) throw error
  return undefined
}
