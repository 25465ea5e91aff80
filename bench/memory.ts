// What the wall itself holds while the command idles: proportional set size over all its processes, the command's own left out.
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { anchorhold, smallProject, type Ground } from './ground.ts'
import type { Section } from './table.ts'

export async function memory(ground: Ground): Promise<readonly Section[]> {
  const child = spawn(anchorhold, ['run', '--quiet', '--', 'sleep', '20'], { cwd: smallProject(ground), env: ground.env, stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await sleep(4000)
  const rows = descendants(child.pid ?? 0).map((pid) => ({ name: nameOf(pid), megabytes: pss(pid) }))
  child.kill('SIGTERM')
  await ended
  const wall = rows.filter((row) => row.name !== 'sleep')
  const total = wall.reduce((sum, row) => sum + row.megabytes, 0) || Number.NaN // nothing measured is no result
  return [
    {
      title: 'Memory of the wall, idle',
      unit: 'MB (PSS)',
      how: '`anchorhold run -- sleep 20`, four seconds after its start; the command itself is left out.',
      rows: [{ subject: 'all', value: total }, ...wall.map((row) => ({ subject: row.name, value: row.megabytes }))],
      against: 'all',
      goals: [{ what: 'MB in all', reached: total, atMost: 60 }],
    },
  ]
}

/** MB of a process and all that it started, but for the one that runs this script. */
export function memoryOf(pid: number, script: string): number {
  const counted = descendants(pid).filter((each) => read(`/proc/${each}/cmdline`).split('\0')[1]?.endsWith(script) !== true)
  return counted.reduce((sum, each) => sum + pss(each), 0)
}

function descendants(pid: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1] ?? -1)
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = [pid]
  for (const one of found) found.push(...(children.get(one) ?? []))
  return found
}

function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim()
}

function pss(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1000
}

/** Empty where the process has gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error) return ''
    throw error
  }
}
