// The end of a cell at every moment and by every hand: nothing of it is left. Witness: the processes and mounts of the host.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { anchorhold, bin, inCell, makeWorld, start } from '../support/anchorhold.ts'

/** Command lines on the host that hold the mark. */
function holding(mark: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return line.includes(mark) ? [line] : []
      } catch (error) {
        if (error instanceof Error) return [] // it ended meanwhile
        throw error
      }
    })
}
/** Until so many of the cell's own sleepers run. */
async function asleep(mark: string, count: number): Promise<void> {
  const sleeping = (): number => holding(mark).filter((line) => line.startsWith('sleep')).length
  for (let waited = 0; waited < 10_000 && sleeping() < count; waited += 20) await sleep(20)
  expect(sleeping()).toBe(count)
}
async function gone(mark: string, milliseconds = 2_000): Promise<readonly string[]> {
  for (let waited = 0; waited < milliseconds && holding(mark).length > 0; waited += 20) await sleep(20)
  return holding(mark)
}
const newMark = (): string => `77.${Math.floor(Math.random() * 1e9)}`
const lingering = (mark: string): string => `setsid sleep ${mark} & (trap '' TERM HUP INT; setsid sleep ${mark}) & exec sleep ${mark}`

it('KRN-34 SIGKILL of anchorhold at thirty moments leaves no process, no mount, no control group; the next start tidies up', async () => {
  const world = makeWorld()
  const one = async (delay: number): Promise<void> => {
    const mark = newMark()
    const { child, outcome } = start(world, ['run', '--limit', 'processes=64', '--limit', 'memory=200m', '--', 'sh', '-c', lingering(mark)])
    await sleep(delay)
    child.kill('SIGKILL')
    await outcome
    expect([delay, await gone(mark)]).toEqual([delay, []])
  }
  const delays = Array.from({ length: 30 }, (_, index) => index * 14 + Math.random() * 14)
  await Promise.all(
    [0, 1, 2].map(async (lane) => {
      for (const delay of delays.filter((_, index) => index % 3 === lane)) await one(delay)
    }),
  )
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(world.project)
  expect((await inCell(world, 'true')).code).toBe(0)
  const state = path.join(world.home, '.local/state/anchorhold')
  expect(readdirSync(path.join(state, 'running'))).toEqual([])
  const groups = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => (/ - cgroup2? /.test(line) ? [line.split(' ')[4] ?? ''] : []))
  const sessions = readdirSync(path.join(state, 'sessions'))
  const left = groups
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map(String))
    .filter((name) => sessions.some((id) => name.endsWith(`anchorhold-${id}`)))
  expect(left).toEqual([])
})

it('KRN-34 SIGINT, SIGTERM and SIGHUP at any moment: 128+n, everything gone within two seconds', async () => {
  const world = makeWorld()
  const signals = [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const
  await Promise.all(
    signals.map(async ([signal, number]) => {
      for (let delay = 0; delay < 400; delay += 50) {
        const mark = newMark()
        const { child, outcome } = start(world, ['run', '--', 'sh', '-c', `setsid sleep ${mark} & exec sleep ${mark}`])
        await sleep(delay + Math.random() * 50)
        child.kill(signal)
        const asked = performance.now()
        const end = await outcome
        // Before Node listens, the signal itself is the end: a shell shows the same number.
        expect([delay, end.signal ?? end.code]).toEqual([delay, end.signal === null ? 128 + number : signal])
        expect(performance.now() - asked).toBeLessThan(4_000)
        expect([delay, await gone(mark)]).toEqual([delay, []])
      }
    }),
  )
})

it.each(['anchorhold-cell', 'bwrap'])('KRN-34 SIGKILL of %s ends the whole run', async (victim) => {
  const world = makeWorld()
  const mark = newMark()
  const { child, outcome } = start(world, ['run', '--', 'sh', '-c', lingering(mark)])
  await asleep(mark, 3)
  const below = (pid: number): readonly number[] => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
    return [...children, ...children.flatMap(below)]
  }
  const target = below(child.pid ?? 0).find((pid) => (readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '').endsWith(victim))
  expect(target).toBeDefined()
  process.kill(target ?? 0, 'SIGKILL')
  const end = await outcome
  expect(end.code).not.toBe(0)
  expect(await gone(mark)).toEqual([])
})

it('RES-19 stopped children, zombies and orphans don’t hold up the end; SIGSTOP and SIGCONT of anchorhold change nothing', async () => {
  const world = makeWorld()
  const mark = newMark()
  const script = `for i in 1 2 3 4 5 6 7 8; do setsid sh -c 'kill -STOP $$; : ${mark}' & done; perl -e 'for (1..40) { fork or exit } sleep 0.2'; touch ready; sleep 1; exit 7`
  const { child, outcome } = start(world, ['run', '--limit', 'processes=128', '--', 'sh', '-c', script])
  for (let waited = 0; waited < 10_000 && !readdirSync(world.project).includes('ready'); waited += 20) await sleep(20)
  child.kill('SIGSTOP')
  await sleep(100)
  child.kill('SIGCONT')
  expect((await outcome).code).toBe(7)
  expect(await gone(mark)).toEqual([])
})

it('KRN-34 the terminal hangs up: everything ends', async () => {
  const world = makeWorld()
  const mark = newMark()
  const child = spawn('script', ['-qfc', `'${bin}' run -- sh -c "setsid sleep ${mark} & trap '' HUP TERM; sleep ${mark}"`, '/dev/null'], {
    cwd: world.project,
    env: world.env,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  await asleep(mark, 2)
  child.kill('SIGKILL') // the master side is closed with it
  await once(child, 'exit')
  expect(await gone(mark, 7_000)).toEqual([]) // 5 s of grace for what ignores the signal
})

it('RES-13 what the command leaves running ends with it: nohup, setsid, double fork, other sessions', async () => {
  const mark = newMark()
  const { code } = await inCell(
    makeWorld(),
    `nohup setsid sleep ${mark} >/dev/null 2>&1 & (setsid sh -c 'setsid sleep ${mark} & ' &) ; sleep 0.2; exit 4`,
  )
  expect(code).toBe(4)
  expect(await gone(mark)).toEqual([])
})

it('twelve cells at once start and end cleanly', async () => {
  const world = makeWorld()
  const ends = await Promise.all(
    Array.from({ length: 12 }, (_, index) => inCell(world, `echo ${index}; sleep 0.3`, ['--limit', 'processes=64'])),
  )
  expect(ends.map(({ code, stdout }) => `${code} ${stdout.trim()}`)).toEqual(ends.map((_, index) => `0 ${index}`))
  expect(readdirSync(path.join(world.home, '.local/state/anchorhold/running'))).toEqual([])
})

it('streams: closed ones, early closed ones and a hundred megabytes both ways', async () => {
  const world = makeWorld()
  const shell = async (script: string) => {
    const child = spawn('bash', ['-c', script, 'bash', bin], { cwd: world.project, env: world.env, stdio: ['ignore', 'pipe', 'inherit'] })
    const shown: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => shown.push(chunk))
    await once(child, 'close')
    return Buffer.concat(shown).toString()
  }
  expect(await shell('"$1" run -- sh -c "cat; echo read" <&-')).toBe('read\n')
  expect(await shell('"$1" run -- sh -c "echo lost" >&-; echo $?')).toMatch(/^\d+\n$/)
  expect(await shell('"$1" run --quiet -- yes 2>/dev/null | head -1; echo ${PIPESTATUS[@]}')).toBe('y\n141 0\n')
  expect(
    await shell(
      'head -c 100000000 /dev/urandom | tee >(sha256sum > ../one) | "$1" run -- cat | sha256sum > ../two; sleep 0.2; cmp ../one ../two && echo same',
    ),
  ).toBe('same\n')
  writeFileSync(path.join(world.home, 'work', 'done'), '')
})

it('the idle wall is small', async () => {
  const world = makeWorld()
  const mark = newMark()
  const { child, outcome } = start(world, ['run', '--', 'sleep', mark])
  await asleep(mark, 1)
  await sleep(300)
  const pids = (pid: number): readonly number[] => [
    pid,
    ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number).flatMap(pids),
  ]
  const kilobytes = pids(child.pid ?? 0).reduce((sum, pid) => {
    try {
      return sum + Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
    } catch (error) {
      if (error instanceof Error) return sum // bubblewrap's own, for an ordinary user
      throw error
    }
  }, 0)
  child.kill('SIGTERM')
  await outcome
  expect(kilobytes).toBeGreaterThan(1_000)
  expect(kilobytes).toBeLessThan(80 * 1024)
})

it('KRN-34 SIGTERM twice does not wait for what ignores it', async () => {
  const world = makeWorld()
  const mark = newMark()
  const { child, outcome } = start(world, ['run', '--', 'sh', '-c', `trap '' TERM; while :; do sleep ${mark}; done`])
  await asleep(mark, 1)
  child.kill('SIGTERM')
  await sleep(200)
  child.kill('SIGTERM')
  const asked = performance.now()
  expect((await outcome).code).toBe(143)
  expect(performance.now() - asked).toBeLessThan(3_000)
  expect(await gone(mark)).toEqual([])
  expect((await anchorhold(world, ['sessions'])).code).toBe(0)
})
