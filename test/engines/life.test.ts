// A cell dies with anchorhold, whatever kills it, and with each part of its own chain.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { bubblewrap } from '../../src/engines/bubblewrap.ts'
import { groupFolders } from '../../src/engines/bubblewrap/cgroup.ts'
import { lookUpFacts } from '../../src/engines/bubblewrap/facts.ts'
import { makePlan, makeScratch, runScript } from './support.ts'

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

/** Pid → command line of all below a process, itself included. */
function family(pid: number): ReadonlyMap<number, string> {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  return new Map([[pid, line] as const, ...children.flatMap((child) => [...family(child)])])
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
  const all = family(child.pid ?? 0)
  const pid = [...all].find(([, line]) => victim.test(line))?.[0]
  if (pid === undefined) throw new Error(`no victim among ${[...all.values()].join('\n')}`)
  process.kill(pid, 'SIGKILL')
  await until(() => holding(marker).size === 0)
  expect([...holding(marker).values()]).toEqual([])
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve))
  expect(child.exitCode).not.toBe(0)
  await until(() => [...all.keys()].every((each) => !existsSync(`/proc/${each}`)))
})

/** What a begun cell consists of: the supervisor, the guard, and what would become bubblewrap. */
async function begun(): Promise<ReadonlyMap<number, string>> {
  let found: ReadonlyMap<number, string> = new Map()
  await until(() => {
    found = new Map([...family(process.pid)].filter(([, line]) => line.includes('anchorhold-cell')))
    return found.size === 3
  })
  return found
}

test('a cell that was begun and not launched leaves nothing, no control group either', async () => {
  const session = randomUUID()
  const limits = { processes: 64 }
  const folders = groupFolders({ session, limits }, lookUpFacts())
  const ground = await bubblewrap.begin({ session, limits, folder: '/', stdio: { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } })
  const processes = await begun()
  expect(folders.every((folder) => existsSync(folder))).toBe(true)
  await ground[Symbol.asyncDispose]()
  expect([...processes.keys()].filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
  expect(folders.filter((folder) => existsSync(folder))).toEqual([])
})

test('a begun cell whose supervisor is killed leaves nothing, and its launch says so', async () => {
  using scratch = makeScratch()
  const plan = makePlan(scratch, ['true'])
  await using ground = await bubblewrap.begin({
    ...plan,
    folder: scratch.outside,
    stdio: { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
  })
  const processes = await begun()
  process.kill([...processes.keys()][0] ?? 0, 'SIGKILL')
  await until(() => [...processes.keys()].every((pid) => !existsSync(`/proc/${pid}`)))
  const options = { signal: new AbortController().signal, onListeners: async () => undefined }
  await expect(ground.launch(plan, await bubblewrap.compile(plan, ground.facts), options)).rejects.toMatchObject({ code: 'engine/start' })
})

test('a plan with a control group that was not joined before is refused', async () => {
  using scratch = makeScratch()
  const plan = makePlan(scratch, ['true'], { limits: { processes: 64 } })
  await using ground = await bubblewrap.begin({
    session: plan.session,
    limits: {},
    folder: scratch.outside,
    stdio: { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
  })
  const options = { signal: new AbortController().signal, onListeners: async () => undefined }
  const compiled = await bubblewrap.compile(plan, { ...ground.facts, groupPids: scratch.outside })
  await expect(ground.launch(plan, compiled, options)).rejects.toThrow(/was not joined/)
})

/** Processor time in ticks of a hundredth of a second (proc_pid_stat(5)); 0 for a process that has ended. */
function ticks(pid: number): number {
  if (!existsSync(`/proc/${pid}/stat`)) return 0
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

test('when the last process of a cell has ended, nobody takes the processor from its end', async () => {
  using scratch = makeScratch()
  const at = (name: string): string => path.join(scratch.project, name)
  let spent = Infinity
  const during = async (): Promise<void> => {
    await until(() => existsSync(at('up')))
    const all = [...family(process.pid)]
    const pids = all.filter(([, line]) => line.includes('anchorhold-cell')).map(([pid]) => pid)
    // The end of the cell can't be told while the outer bubblewrap stands still.
    const outer = all.find(([, line]) => /^\/usr\/\S*bwrap/.test(line))?.[0] ?? 0
    const command = all.findLast(([, line]) => line.includes('sh -c'))?.[0] ?? 0
    process.kill(outer, 'SIGSTOP')
    writeFileSync(at('go'), '')
    await until(() => !existsSync(`/proc/${command}`))
    const before = pids.map(ticks).reduce((sum, one) => sum + one, 0)
    await sleep(500)
    spent = pids.map(ticks).reduce((sum, one) => sum + one, 0) - before
    process.kill(outer, 'SIGCONT')
  }
  const { end } = await runScript(bubblewrap, scratch, 'touch up; while [ ! -e go ]; do sleep 0.01; done; exit 6', {}, { during })
  expect(end).toMatchObject({ kind: 'exited', code: 6 })
  expect(spent).toBeLessThan(10)
})
