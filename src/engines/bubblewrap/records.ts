// The supervisor's records: NUL-separated fields that native/cell-plan.c reads before it starts the cell. Pure.
import type { EnforcedLimit, EngineFacts } from '../../model/engine.ts'
import type { Cover, Plan } from '../../model/plan.ts'
import { checkFields, coverFields } from '../fields.ts'
import { groupFolders, joinFile } from './cgroup.ts'

/** Every field ends with a NUL; the last record is `start`. */
export function supervisorRecords(plan: Plan, covers: readonly Cover[], limits: readonly EnforcedLimit[], facts: EngineFacts): Uint8Array {
  const records = [
    ...plan.listeners.map((listener) => ['listener', listener.kind, listener.address, listener.port]),
    ...groupFolders(plan, facts).map((folder) => ['cgroup', joinFile(folder)]),
    ...plan.mounts.flatMap((mount) => (mount.kind === 'overlay' ? [['view', mount.place, mount.lower, mount.upper, mount.work]] : [])),
    ...limits.flatMap(limitRecord),
    ['terminal', plan.terminal === 'none' ? 0 : (plan.env['TERM'] ?? 'dumb') === 'dumb' ? 1 : 2],
    ...covers.map((cover) => ['cover', ...coverFields(cover)]),
    ...plan.preflight.map((check) => checkFields(check).flatMap((field) => ['check', field])),
    ['start'],
  ]
  return Buffer.from(
    records
      .flat()
      .map((field) => `${field}\0`)
      .join(''),
  )
}

/** Only what the supervisor itself enforces; a control group's and a tmpfs's limits are set elsewhere. */
function limitRecord(row: EnforcedLimit): (string | number)[][] {
  // Half a processor is kept as a whole one, though that is not what was asked for.
  if (row.name === 'cpus') return row.how.startsWith('affinity') ? [['cpus', Math.ceil(row.value)]] : []
  if (!row.enforced) return []
  switch (row.name) {
    case 'time':
      return [['time', Math.ceil(row.value)]]
    case 'openFiles':
      return [['open-files', row.value]]
    case 'fileSize':
      return [['file-size', row.value]]
    case 'memory':
      return row.how.startsWith('watched') ? [['memory', row.value]] : []
    case 'processes':
      return row.how === 'user namespace' ? [['processes', row.value]] : []
    case 'tmp':
    case 'disk':
      return []
  }
}
