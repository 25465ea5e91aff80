// Limits in words, with how each is enforced here or why it is not. Used by the banner, the summary and the log.
import type { EnforcedLimit } from '../model/engine.ts'
import { duration, size } from './units.ts'

/** "memory 4 GiB (cgroup)" or "cpus 2 (not enforced: …)". Raw text: callers make it plain. */
export function limitText(limit: EnforcedLimit): string {
  return `${limit.name} ${limitValue(limit.name, limit.value)} (${limit.enforced ? limit.how : `not enforced: ${limit.how}`})`
}

export function limitValue(name: EnforcedLimit['name'], value: number): string {
  if (name === 'time') return duration(value)
  return name === 'memory' || name === 'tmp' || name === 'disk' || name === 'fileSize' ? size(value) : String(value)
}
