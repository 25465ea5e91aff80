// Policy: limits as people write them (`memory: 4g`, `--limit time=2h`) become numbers. One table for parsing and for showing.
import { Failure } from '../errors/failure.ts'
import type { Limits } from '../model/policy.ts'
import { show } from './show.ts'

export type LimitName = keyof Limits
type Measure = 'bytes' | 'count' | 'cores' | 'milliseconds'

export interface LimitRow {
  readonly measure: Measure
  readonly what: string
  /** What a run gets when nobody says anything. */
  readonly standard?: number
  readonly smallest: number
}

/** A fork bomb must not take the machine along; 4096 processes are more than any build uses. The rest is the user's to set. */
export const limitTable: Readonly<Record<LimitName, LimitRow>> = {
  memory: { measure: 'bytes', what: 'memory of everything in the cell', smallest: 16 * 2 ** 20 },
  processes: { measure: 'count', what: 'processes and threads at the same time', standard: 4096, smallest: 8 },
  cpus: { measure: 'cores', what: 'processor cores', smallest: 0.01 },
  time: { measure: 'milliseconds', what: 'wall time of the run', smallest: 1 },
  tmp: { measure: 'bytes', what: 'size of /tmp', smallest: 2 ** 20 },
  disk: { measure: 'bytes', what: 'bytes that a review writes in all', standard: 10 * 2 ** 30, smallest: 2 ** 20 },
  fileSize: { measure: 'bytes', what: 'size of one file', smallest: 4096 },
  openFiles: { measure: 'count', what: 'open files of one process', smallest: 32 },
}

/** The limits of a run about which nobody said anything. */
export const standardLimits: Limits = Object.fromEntries(
  Object.entries(limitTable).flatMap(([name, row]) => (row.standard === undefined ? [] : [[name, row.standard]])),
)

const byteUnits: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }
const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const forms: Readonly<Record<Measure, string>> = {
  bytes: 'a size such as 512m or 4g',
  count: 'a whole number',
  cores: 'a number of cores such as 2 or 0.5',
  milliseconds: 'a duration such as 90s, 30m or 2h',
}

/** `file-size`, `filesize` and `fileSize` are the same limit. Undefined for a name that is none. */
export function limitName(text: string): LimitName | undefined {
  const plain = text.replaceAll('-', '').toLowerCase()
  return (Object.keys(limitTable) as LimitName[]).find((name) => name.toLowerCase() === plain)
}

/**
 * The value in bytes, counts, cores or milliseconds; 'none' lifts a standard limit. Sizes are powers of 1024 (`4g`, `4GiB`), durations need
 * their unit and may be joined (`1h30m`). Throws Failure `policy/bad-limit`.
 */
export function parseLimit(name: LimitName, text: string, where: string): number | 'none' {
  if (text === 'none') return 'none'
  const row = limitTable[name]
  const value = read(row.measure, text.trim())
  const refuse = (reason: string): never => {
    throw new Failure('policy/bad-limit', { name, value: show(text), reason, where })
  }
  if (value === undefined || !Number.isFinite(value) || value > Number.MAX_SAFE_INTEGER)
    return refuse(`it takes ${forms[row.measure]}, or none`)
  return value < row.smallest ? refuse(`the smallest that works is ${showLimit(name, row.smallest)}`) : value
}

/** A limit for people: `4 GiB`, `2h`, `512`. */
export function showLimit(name: LimitName, value: number): string {
  const { measure } = limitTable[name]
  const [unit, size] = (measure === 'bytes' ? bytesShown : measure === 'milliseconds' ? timeShown : []).find(
    ([, each]) => value % each === 0,
  ) ?? ['', 1]
  return `${value / size}${unit}`
}
const bytesShown: readonly (readonly [string, number])[] = [
  ['t', 2 ** 40],
  ['g', 2 ** 30],
  ['m', 2 ** 20],
  ['k', 2 ** 10],
]
const timeShown: readonly (readonly [string, number])[] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]

function read(measure: Measure, text: string): number | undefined {
  if (measure === 'count') return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined
  if (measure === 'cores') return /^(?:0|[1-9][0-9]{0,3})(?:\.[0-9]{1,3})?$/.test(text) ? Number(text) : undefined
  if (measure === 'bytes') {
    const [, number, unit = ''] = /^([0-9]{1,15}(?:\.[0-9]{1,3})?)(b|[kmgt](?:i?b)?)?$/i.exec(text) ?? []
    return number === undefined ? undefined : Math.floor(Number(number) * (byteUnits[unit.slice(0, 1).toLowerCase()] ?? Number.NaN))
  }
  if (!/^(?:[0-9]{1,9}(?:\.[0-9]{1,3})?(?:ms|s|m|h|d))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/([0-9.]+)(ms|s|m|h|d)/g)]
  return Math.round(parts.reduce((sum, [, number, unit]) => sum + Number(number) * (timeUnits[unit ?? ''] ?? Number.NaN), 0))
}
