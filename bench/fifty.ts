// Fifty cells at once on one project: all must start, run and end cleanly, and leave no process behind.
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { anchorhold, smallProject, type Ground } from './ground.ts'
import type { Section } from './table.ts'

const count = 50

export async function fifty(ground: Ground): Promise<readonly Section[]> {
  const cwd = smallProject(ground)
  const began = performance.now()
  const codes = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<number>((resolve) => {
          const child = spawn(anchorhold, ['run', '--quiet', '--', 'true'], { cwd, env: ground.env, stdio: 'ignore', timeout: 120_000 })
          child.once('error', () => resolve(127))
          child.once('exit', (code) => resolve(code ?? 128))
        }),
    ),
  )
  const milliseconds = performance.now() - began
  const failed = codes.filter((code) => code !== 0).length
  return [
    {
      title: 'Fifty cells at once',
      unit: 'milliseconds',
      how: 'From the first start to the last end, all on one project.',
      rows: [
        { subject: 'all fifty', value: milliseconds },
        { subject: 'each', value: milliseconds / count },
      ],
      against: 'all fifty',
      goals: [
        { what: 'that did not end with 0', reached: failed, atMost: 0 },
        { what: 'processes left behind', reached: leftBehind(ground), atMost: 0 },
      ],
    },
  ]
}

/** Processes whose arguments or folder still name the scratch ground. */
function leftBehind(ground: Ground): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(ground.folder)
    } catch (error) {
      if (error instanceof Error) return false
      throw error
    }
  }).length
}
