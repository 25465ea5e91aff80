// Every resource a cell could take from the machine, with small caps: the cell ends or is refused, the host goes on, and what is
// said about each limit is true here. Witness: a process of the host beside it, files outside, the memory of anchorhold itself.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { anchorhold, bin, inCell, makeWorld, start, type World } from '../support/anchorhold.ts'

const MiB = 2 ** 20
interface Row {
  readonly name: string
  readonly enforced: boolean
  readonly how: string
}

/** What anchorhold says of its limits, from its journal events. */
async function said(world: World, options: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  const { stderr } = await anchorhold(world, ['run', '--json', ...options, '--', 'true'])
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind?: string; event?: { kind: string; rows: Row[] }; rows?: Row[] })
  const rows = events.flatMap((event) =>
    event.kind === 'limits' ? (event.rows ?? []) : event.event?.kind === 'limits' ? event.event.rows : [],
  )
  return new Map(rows.map((row) => [row.name, row]))
}

it('RES-01 a fork bomb stops at its cap, and the host forks on', async () => {
  const world = makeWorld()
  const limit = ['--limit', 'processes=64']
  const row = (await said(world, limit)).get('processes')
  const script = String.raw`my $n = 0; while ($n < 100) { my $p = fork; last unless defined $p; if (!$p) { sleep 3; exit } $n++ } print "$n\n"`
  const { outcome } = start(world, ['run', ...limit, '--', 'perl', '-e', script])
  expect(execFileSync('echo', ['forked'], { encoding: 'utf8' })).toBe('forked\n')
  const made = Number((await outcome).stdout)
  if (row?.enforced === true) expect(made).toBeLessThan(84)
  else expect(row?.how).toMatch(/control group/)
  expect(made).toBeGreaterThan(50)
})

/** Programs that take 300 MiB in one way each. */
const takers = {
  'own memory': 'my $a = "x" x (300 << 20); sleep 3; print "survived"',
  'files in /dev/shm': 'open F, ">", "/dev/shm/x"; print F "x" x (1 << 20) for 1..300; close F; sleep 3; print "survived"',
  'files in /tmp': 'open F, ">", "/tmp/x"; print F "x" x (1 << 20) for 1..300; close F; sleep 3; print "survived"',
  'memory files':
    'my $m = "m"; my $fd = syscall(319, $m, 0); open F, ">&=", $fd; print F "x" x (1 << 20) for 1..300; sleep 3; print "survived"',
  'shared memory':
    'for (1..300) { my $id = shmget(0, 1 << 20, 01600); shmwrite($id, "x" x (1 << 20), 0, 1 << 20) } sleep 3; print "survived"',
}
it.each(Object.entries(takers).filter(([name]) => process.arch === 'x64' || name !== 'memory files'))(
  'RES-02 RES-16 memory by %s counts',
  async (_name, program) => {
    const world = makeWorld()
    const { code, stdout, stderr } = await anchorhold(world, [
      'run',
      '--limit',
      'memory=150m',
      '--limit',
      'tmp=1g',
      '--',
      'perl',
      '-e',
      program,
    ])
    expect({ code, stdout }).toEqual({ code: 137, stdout: '' })
    expect(stderr).toMatch(/ended by its limit of memory \(150 MiB\)/)
  },
)

it('RES-02 memory of many small processes counts together', async () => {
  const script = 'for (1..10) { if (!fork) { my $a = "x" x (30 << 20); sleep 3; exit } } wait for 1..10; print "on"'
  const { code, stdout, stderr } = await anchorhold(makeWorld(), ['run', '--limit', 'memory=150m', '--', 'perl', '-e', script])
  // A control group takes one process after the other; where memory is watched, the cell ends.
  if (code === 0) expect({ stdout, said: /ran into the memory limit/.test(stderr) }).toEqual({ stdout: 'on', said: true })
  else expect({ code, said: /ended by its limit of memory/.test(stderr) }).toEqual({ code: 137, said: true })
})

it('RES-02 control: a hundred megabytes shared by five processes stay below 150', async () => {
  const script = 'my $a = "x" x (50 << 20); for (1..4) { if (!fork) { sleep 1; exit } } wait for 1..4; print "fine"'
  expect(await anchorhold(makeWorld(), ['run', '--limit', 'memory=150m', '--', 'perl', '-e', script])).toMatchObject({
    code: 0,
    stdout: 'fine',
  })
})

it('RES-02 the kernel takes the cell first when the machine itself runs short', async () => {
  const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  expect(Number((await inCell(makeWorld(), 'cat /proc/self/oom_score_adj')).stdout)).toBe(Math.max(500, own))
})

it('RES-03 processor time is kept to what was said, or said not to be kept', async () => {
  const world = makeWorld()
  const limit = ['--limit', 'cpus=0.5']
  const row = (await said(world, limit)).get('cpus')
  const script =
    'use Time::HiRes "time"; my $t = time; fork; 1 while time - $t < 1.5; wait; my @t = times; printf "%.2f", $t[0] + $t[1] + $t[2] + $t[3]'
  const { stdout } = await anchorhold(world, ['run', ...limit, '--', 'perl', '-e', script])
  const used = Math.max(...stdout.split(/(?<=\.\d\d)/).map(Number))
  if (row?.enforced === true) expect(used).toBeLessThan(1.3)
  else expect(row?.how).toMatch(/control group/)
})

it('RES-04 RES-09 /tmp, one file, sparse files: full or refused at the cap', async () => {
  const world = makeWorld()
  const script = `head -c 50000000 /dev/zero > /tmp/big; head -c 50000000 /dev/zero > /var/tmp/big; stat -c %s /tmp/big /var/tmp/big
    (head -c 5000000 /dev/zero > big) ; (truncate -s 1T sparse); stat -c %s big sparse; echo small > small; cat small`
  const { stdout } = await inCell(world, script, ['--limit', 'tmp=4m', '--limit', 'file-size=1m'])
  // A file in /tmp meets the limit on one file first.
  expect(stdout.split('\n')).toEqual([String(MiB), String(MiB), String(MiB), '0', 'small', ''])
  const full = await inCell(world, 'head -c 50000000 /dev/zero > /tmp/big; stat -c %s /tmp/big', ['--limit', 'tmp=4m'])
  expect(Number(full.stdout)).toBeLessThanOrEqual(4 * MiB)
  expect(full.stderr).toContain('No space left')
  expect(statSync(path.join(world.project, 'big')).size).toBe(MiB)
})

it('RES-04 LIMIT: a live project has no quota, and nothing claims one', async () => {
  const rows = await said(makeWorld(), [])
  expect([...rows.keys()]).not.toContain('disk')
})

it('RES-05 RES-10 twenty thousand files, 3,000 levels, loops of links and long names: the run ends well and the next starts', async () => {
  const world = makeWorld()
  const script = String.raw`mkdir 'many'; for (1..20000) { open F, '>', "many/$_" } symlink('..', 'loop'); symlink('a', 'b'); symlink('b', 'a');
    open F, '>', 'n' x 255; for (1..3000) { mkdir 'd'; chdir 'd' } open F, '>', 'end'; print 'made'`
  const first = await anchorhold(world, ['run', '--', 'perl', '-e', script], { timeoutMilliseconds: 50_000 })
  expect(first).toMatchObject({ code: 0, stdout: 'made' })
  expect(await inCell(world, 'ls | wc -l')).toMatchObject({ code: 0, stdout: '6\n' })
  rmSync(path.join(world.project, 'many'), { recursive: true })
  execFileSync('rm', ['-rf', path.join(world.project, 'd')])
  expect(existsSync(path.join(world.project, 'd'))).toBe(false)
})

it('RES-06 a gigabyte of output passes through; anchorhold itself stays small', async () => {
  const world = makeWorld()
  const child = spawn(bin, ['run', '--', 'head', '-c', '1073741824', '/dev/zero'], {
    cwd: world.project,
    env: world.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let bytes = 0
  let most = 0
  child.stdout.on('data', (chunk: Buffer) => {
    if (bytes >> 26 !== (bytes + chunk.length) >> 26 && existsSync(`/proc/${child.pid}/status`))
      most = Math.max(most, Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0))
    bytes += chunk.length
  })
  await once(child, 'close')
  expect(bytes).toBe(2 ** 30)
  expect(most).toBeGreaterThan(1_000)
  expect(most).toBeLessThan(200 * 1024)
})

it('RES-08 open files of one process', async () => {
  const script = 'my @f; while (@f < 500) { open(my $f, "<", "/dev/null") or last; push @f, $f } print scalar @f'
  const { stdout } = await anchorhold(makeWorld(), ['run', '--limit', 'open-files=64', '--', 'perl', '-e', script])
  expect(Number(stdout)).toBeGreaterThan(40)
  expect(Number(stdout)).toBeLessThan(64)
})

it('RES-12 wall time ends the whole tree, whatever it ignores, and says so', async () => {
  const world = makeWorld()
  const mark = `78.${Math.floor(Math.random() * 1e9)}`
  const began = performance.now()
  const { code, stderr } = await inCell(
    world,
    `trap '' TERM INT HUP; (setsid sh -c "trap '' TERM; sleep ${mark}") & while :; do sleep ${mark}; done`,
    ['--limit', 'time=1s'],
  )
  expect(code).toBe(137)
  expect(stderr).toMatch(/ended by its limit of time/)
  expect(performance.now() - began).toBeLessThan(15_000)
  const left = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)
      } catch (error) {
        if (error instanceof Error) return false // it ended meanwhile
        throw error
      }
    })
  expect(left).toEqual([])
})

it('RES-01..16 without any --limit: a sane number of processes; every row is said to be kept how, or not and why', async () => {
  const world = makeWorld()
  const standard = await said(world, [])
  expect(standard.get('processes')).toMatchObject({ value: 4096 })
  const rows = await said(world, [
    '--limit',
    'memory=1g',
    '--limit',
    'processes=100',
    '--limit',
    'cpus=1',
    '--limit',
    'time=1h',
    '--limit',
    'tmp=64m',
    '--limit',
    'file-size=1g',
    '--limit',
    'open-files=512',
  ])
  expect([...rows.keys()].toSorted()).toEqual(['cpus', 'fileSize', 'memory', 'openFiles', 'processes', 'time', 'tmp'])
  for (const row of rows.values()) expect(row.how.length).toBeGreaterThan(3)
  const { stderr } = await anchorhold(world, ['run', '--verbose', '--', 'true'])
  expect(stderr).toMatch(/limits\s+processes 4096 \(/)
})
