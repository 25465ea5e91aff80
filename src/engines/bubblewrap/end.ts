// Facts about a cell's end → CellEnd. Neighbour: launch.ts, which collects them.
import os from 'node:os'
import type { CellEnd } from '../../model/engine.ts'
import type { Limits } from '../../model/policy.ts'
import type { Seen } from '../follow.ts'
import { countOomKills } from './cgroup.ts'

/** What the supervisor says at the end: bubblewrap's exit code and why it was ended (native/cell-loop.c). */
export interface Report {
  readonly code: number
  readonly started: boolean
  readonly reason: string
  /** Bytes and milliseconds. */
  readonly maxRss: number
  readonly cpu: number
}

/** Reasons that are limits. */
export const limitNames: readonly (keyof Limits)[] = ['memory', 'processes', 'cpus', 'time', 'tmp', 'disk', 'fileSize', 'openFiles']

/** `exit` is the supervisor's own. */
export function endOf(
  seen: Seen<Report>,
  folders: readonly string[],
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
): CellEnd {
  const { report } = seen
  if (seen.preflight !== undefined)
    return { kind: 'failed', code: 125, message: `a check inside the new cell failed: ${seen.preflight}`, preflight: seen.preflight }
  if (seen.failed !== undefined) return { kind: 'failed', code: 125, message: seen.failed }
  if (report === undefined) return { kind: 'failed', code: 125, message: `anchorhold-cell ended with ${exit.signal ?? exit.code}` }
  if (!report.started && report.reason === '')
    return { kind: 'failed', code: 125, message: `bubblewrap ended with code ${report.code} before the command started` }
  const oomKills = countOomKills(folders)
  const limit = limitNames.find((name) => name === report.reason) ?? (oomKills > 0 && report.code === 137 ? 'memory' : undefined)
  const code = report.started ? report.code : 137
  const signal = signalOf(code)
  return {
    kind: signal === undefined ? 'exited' : 'signalled',
    code,
    ...(signal === undefined ? {} : { signal }),
    ...(limit === undefined ? {} : { limit }),
    usage: { maxRssBytes: report.maxRss, cpuMilliseconds: report.cpu, oomKills },
  }
}

/** bubblewrap tells a signalled end as 128+n, as shells do; the two can't be told apart. */
export function signalOf(code: number): NodeJS.Signals | undefined {
  const names = Object.entries(os.constants.signals) as [NodeJS.Signals, number][]
  return names.find(([, number]) => number === code - 128)?.[0]
}
