// A cell dies with anchorhold, whatever kills it, and with each part of its own chain.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { makeScratch } from './support.ts'

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 1000) throw new Error(`waited in vain for ${what}`)
    await sleep(10)
  }
}

/** Pid → command line of all processes of the host that name the marker. */
function holding(marker: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const line = readFileSync(`/proc/${entry}/cmdline`, 'utf8')
      if (line.includes(marker)) found.set(Number(entry), line.replaceAll('\0', ' '))
    } catch (error) {
      if (!(error instanceof Error)) throw error // it ended meanwhile
    }
  }
  return found
}

test.each([
  ['anchorhold itself', /child\.ts/],
  ['the supervisor', /anchorhold-cell/],
  ['bubblewrap', /^\/usr\/\S*bwrap/],
])('SIGKILL of %s leaves nothing', async (_name, victim) => {
  using scratch = makeScratch()
  const marker = `${8e6 + Math.floor(Math.random() * 1e6)}`
  const script = `trap "" TERM HUP INT; setsid sleep ${marker} & touch up; sleep ${marker}; :`
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'fixtures/child.ts'), script], {
    env: { PROJECT: scratch.project },
    stdio: 'ignore',
  })
  await until(() => existsSync(path.join(scratch.project, 'up')))
  const pid = [...holding(marker)].find(([, line]) => victim.test(line))?.[0]
  if (pid === undefined) throw new Error(`no victim among ${[...holding(marker).values()].join('\n')}`)
  process.kill(pid, 'SIGKILL')
  await until(() => holding(marker).size === 0)
  expect([...holding(marker).values()]).toEqual([])
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve))
  expect(child.exitCode).not.toBe(0)
})
