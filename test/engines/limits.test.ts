// Each limit on its own: it ends or refuses what goes beyond it, leaves what stays below, and says how it is kept.
import { statSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { bubblewrap } from '../../src/engines/bubblewrap.ts'
import { enforceLimits } from '../../src/engines/bubblewrap/limits.ts'
import { lookUpFacts } from '../../src/engines/bubblewrap/facts.ts'
import { makePlan, makeScratch, runPlan, runScript } from './support.ts'

const alone = { groupMemory: '', groupPids: '', groupCpu: '' }

test('wall time', async () => {
  using scratch = makeScratch()
  const { end } = await runScript(bubblewrap, scratch, 'trap "" TERM INT; sleep 60; :', { limits: { time: 200 } })
  expect(end).toMatchObject({ kind: 'signalled', code: 137, limit: 'time' })
})

test('processes', async () => {
  using scratch = makeScratch()
  const script = 'for i in $(seq 30); do sleep 20 & done; exit 3'
  const plan = makePlan(scratch, ['/bin/sh', '-c', script], { limits: { processes: 16 } })
  const [row] = (await bubblewrap.compile(plan, await bubblewrap.facts(plan))).limits
  const { end, stderr } = await runPlan(bubblewrap, scratch, plan)
  if (row?.enforced === true) {
    expect(end.code).not.toBe(3)
    expect(stderr).toMatch(/[Cc]annot fork|Resource temporarily unavailable/)
  } else expect(row?.how).toMatch(/control group/)
  const below = await runScript(bubblewrap, scratch, 'for i in $(seq 10); do sleep 20 & done; exit 3', { limits: { processes: 16 } })
  expect(below.end).toMatchObject({ kind: 'exited', code: 3 })
})

test.each(['with what this machine has', 'without control groups'])('memory %s', async (how) => {
  using scratch = makeScratch()
  const script = 'a=$(head -c 300000000 /dev/zero | tr "\\0" x); sleep 5; echo ${#a}'
  const plan = makePlan(scratch, ['/bin/bash', '-c', script], { limits: { memory: 64 * 2 ** 20 } })
  const facts = { ...(await bubblewrap.facts(plan)), ...(how.startsWith('without') ? alone : {}) }
  const compiled = await bubblewrap.compile(plan, facts)
  expect(compiled.limits).toMatchObject([{ name: 'memory', enforced: true }])
  const cell = await bubblewrap.launch(plan, compiled, {
    signal: new AbortController().signal,
    stdio: { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
    folder: scratch.outside,
    onListeners: async () => undefined,
  })
  const end = await cell.ended
  expect(end.code).not.toBe(0)
  if (compiled.limits[0]?.how !== 'cgroup') expect(end).toMatchObject({ kind: 'signalled', limit: 'memory' })
  else expect(end.usage?.oomKills).toBeGreaterThan(0)
  const small = await runScript(bubblewrap, scratch, 'exit 9', { limits: { memory: 64 * 2 ** 20 } })
  expect(small.end).toMatchObject({ kind: 'exited', code: 9 })
})

test('size of a file, open files, memory folders', async () => {
  using scratch = makeScratch()
  const script =
    'head -c 2000000 /dev/zero > big; head -c 1000 /dev/zero > small; ulimit -n; ulimit -c; ulimit -f; ulimit -n 5000 || echo kept; head -c 100000000 /dev/zero > /tmp/x || echo full'
  const { stdout } = await runPlan(
    bubblewrap,
    scratch,
    makePlan(scratch, ['/bin/bash', '-c', script], { limits: { fileSize: 1 << 20, openFiles: 256 } }),
  )
  expect(stdout).toMatch(/^256\n0\n1024\nkept\nfull\n$/)
  expect(statSync(path.join(scratch.project, 'big')).size).toBe(1 << 20)
  expect(statSync(path.join(scratch.project, 'small')).size).toBe(1000)
})

test("processors by affinity can't be widened again", async () => {
  using scratch = makeScratch()
  const limits = { cpus: 1 }
  const [row] = enforceLimits(limits, { ...lookUpFacts(), ...alone }, 'live')
  const { stdout } = await runScript(
    bubblewrap,
    scratch,
    'nproc; taskset -p ffff $$ >/dev/null 2>&1 || echo kept',
    { limits },
    { facts: alone },
  )
  if (row?.enforced === true) expect(stdout).toBe('1\nkept\n')
  else expect(row?.how).toMatch(/^this machine has 1 processors/)
})

test('rows say how each limit is kept, or why not', () => {
  const facts = { ...lookUpFacts(), ...alone, processors: 4 }
  const limits = { memory: 1, processes: 2, cpus: 2, time: 3, tmp: 4, fileSize: 5, openFiles: 6 }
  expect(enforceLimits(limits, { ...facts, root: false }, 'live').map((row) => [row.name, row.enforced, row.how])).toEqual([
    ['memory', true, 'watched every 250 ms'],
    ['processes', true, 'user namespace'],
    ['cpus', true, 'affinity to 2 of 4 processors'],
    ['time', true, 'timer'],
    ['tmp', true, 'tmpfs size'],
    ['fileSize', true, 'rlimit'],
    ['openFiles', true, 'rlimit'],
  ])
  expect(enforceLimits({ cpus: 1.5 }, facts, 'live')).toEqual([
    { name: 'cpus', value: 1.5, enforced: false, how: 'affinity to 2 of 4 processors; parts of one need a control group' },
  ])
  expect(enforceLimits({ processes: 2, cpus: 4 }, { ...facts, root: true }, 'live').map((row) => row.enforced)).toEqual([false, false])
  expect(enforceLimits({}, facts, 'live')).toEqual([])
  // What is written can be measured where it is kept apart, and only there.
  expect(enforceLimits({ disk: 5 }, facts, 'review')).toMatchObject([{ name: 'disk', enforced: true }])
  expect(enforceLimits({ disk: 5 }, facts, 'live')).toMatchObject([{ name: 'disk', enforced: false }])
})

test('where crashes are handed to a program of the host, the limit that keeps it asleep can only seem to be changed', async () => {
  using scratch = makeScratch()
  const script = 'grep core /proc/self/limits; ulimit -c 0 && ulimit -c unlimited && grep core /proc/self/limits; ulimit -n 64; ulimit -n'
  const plan = makePlan(scratch, ['/bin/bash', '-c', script])
  const { stdout } = await runPlan(bubblewrap, scratch, plan, { facts: { coreHandler: true } })
  const [before, after, files] = stdout.trim().split('\n')
  expect(before).toMatch(/^Max core file size/)
  expect([after, files]).toEqual([before, '64'])
})
