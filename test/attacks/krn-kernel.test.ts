// What a cell may ask of the kernel: every attempt of fixtures/kernel.c in a real cell, and the same program without a wall.
import { execFile, execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { anchorhold, bin, inCell, makeWorld, type World } from '../support/anchorhold.ts'

type Results = ReadonlyMap<string, number>
const folder = path.join(realpathSync(os.tmpdir()), `ah-kernel-${randomUUID()}`) // made when a test of this file runs
const home = path.join(folder, 'home')
const project = path.join(home, 'project')
const env = { HOME: home, PATH: process.env['PATH'] ?? '/usr/bin:/bin' }
const world: World = { home, project, env }
const program = path.join(project, 'kernel')
let inside: Results = new Map()
let outside: Results = new Map()

function read(text: string): Results {
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, errno]) => [name ?? '', Number(errno)]),
  )
}

beforeAll(async () => {
  mkdirSync(project, { recursive: true })
  execFileSync('cc', ['-O1', '-static', '-o', program, path.join(import.meta.dirname, 'fixtures/kernel.c')])
  const run = await anchorhold(world, ['run', '--', './kernel'])
  expect(run.stderr).not.toContain('Permission denied')
  inside = read(run.stdout)
  const bare = path.join(folder, 'bare')
  mkdirSync(bare)
  outside = read((await promisify(execFile)(program, ['outside'], { cwd: bare, env })).stdout)
})
const secret = path.join(home, 'secret')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** All refused inside with one of the errnos; `reached`: those that the same program achieves without a wall. */
function refused(names: readonly string[], errnos: readonly number[], reached: readonly string[] = []): void {
  for (const name of names) {
    expect(inside.has(name), `${name} was tried`).toBe(true)
    expect([name, errnos.includes(inside.get(name) ?? 0)]).toEqual([name, true])
  }
  for (const name of reached) expect([name, outside.get(name)]).toEqual([name, 0])
}
const EPERM = 1
const ENOSYS = 38
const EACCES = 13

it('control: what programs need works', () => {
  for (const name of ['fork', 'fifo', 'mode', 'file', 'memfd']) expect([name, inside.get(`works-${name}`)]).toEqual([name, 0])
})

it('KRN-05 no namespace by clone, clone3, unshare, nor through the 32-bit and x32 entries', () => {
  const kinds = ['user', 'mount', 'pid', 'net', 'ipc', 'uts', 'cgroup'].map((kind) => `clone-${kind}`)
  refused([...kinds, 'unshare-user', 'unshare-time', 'unshare-user-mount'], [EPERM])
  refused(['clone3-user'], [ENOSYS])
  if (process.arch === 'x64') refused(['int80-getpid', 'int80-unshare', 'x32-getpid', 'x32-ptrace'], [ENOSYS])
  // Weakened: without the filter.
  for (const name of ['clone-user', 'unshare-user', 'clone3-user']) expect([name, outside.get(name)]).toEqual([name, 0])
})

it('KRN-06 FS-12 no mount call, old or new, no chroot', () => {
  const names = ['mount', 'mount-remount', 'mount-shared', 'umount2', 'pivot_root', 'chroot', 'move_mount', 'open_tree', 'open_tree_attr']
  refused([...names, 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr'], [EPERM])
  refused(['statmount', 'listmount'], [ENOSYS])
})

it('KRN-07 KRN-08 no entering of namespaces, no looking into processes, siblings included', () => {
  refused(['setns-init', 'setns-own', 'setns-pidfd'], [EPERM])
  refused(
    ['ptrace-sibling', 'ptrace-me', 'pidfd_getfd', 'process_vm_readv', 'kcmp', 'process_madvise'],
    [EPERM],
    ['ptrace-sibling', 'ptrace-me'],
  )
})

it('KRN-11 keyrings: the canary key of the caller’s session is found outside and refused inside', async () => {
  refused(['add_key', 'key-search', 'key-user', 'key-join', 'request_key'], [EPERM], ['add_key', 'key-user'])
  const name = `anchorhold-canary-${process.pid}`
  const { stdout } = await promisify(execFile)(
    program,
    ['key', name, bin, 'run', '--env', 'CANARY_KEY', '--', 'sh', '-c', './kernel | grep key-search; cat /proc/keys /proc/key-users'],
    { cwd: project, env },
  )
  expect(stdout).toBe('key-search 0\nkey-search 1\n')
})

it('KRN-13 no module, kexec, bpf, perf, io_uring, userfaultfd, clock, quota, swap, ports', () => {
  refused(
    [
      'bpf',
      'perf_event_open',
      'userfaultfd',
      'kexec_load',
      'init_module',
      'finit_module',
      'delete_module',
      'quotactl',
      'acct',
      'swapon',
      'swapoff',
      'reboot',
      'syslog',
      'fanotify_init',
      'clock_settime',
      'settimeofday',
      'adjtimex',
      'move_pages',
      'migrate_pages',
      'mbind',
      'personality',
      'vhangup',
      'modify_ldt',
      'lsm_set_self_attr',
    ],
    [EPERM],
    ['personality'],
  )
  refused(['io_uring_setup', 'io_uring_enter', 'io_uring_register', 'memfd_secret'], [ENOSYS])
})

it('KRN-20 KRN-23 no names, priorities, locked memory or limits beyond the own', () => {
  refused(
    ['sethostname', 'setdomainname', 'fifo-scheduling', 'deadline', 'ioprio', 'rlimit-memlock', 'rlimit-core', 'nice', 'oom'],
    [EPERM, EACCES],
  )
  refused(['mlock'], [12])
})

it('KRN-01 FS-19 no capability and no other identity can be taken', () => {
  refused(['ambient', 'capset', 'setgroups'], [EPERM])
  refused(['setuid-0'], [EPERM, 22])
})

it('FS-17 FS-20 no file by handle, no device', () => {
  refused(['name_to_handle_at', 'open_by_handle_at', 'device-char', 'device-block', 'device-tmp'], [EPERM], ['name_to_handle_at'])
})

it('FS-19 no file with its owner’s rights, however it is made: none on the host afterwards', () => {
  const names = ['set-id', 'set-id-born', 'set-id-tmpfile', 'set-id-fchmodat2', 'set-id-mknod']
  refused(names, [EPERM], ['set-id', 'set-id-born', 'set-id-mknod'])
  refused(['set-id-openat2'], [ENOSYS], ['set-id-openat2'])
  const modes = readdirSync(project).map((name) => lstatSync(path.join(project, name)).mode & 0o6000)
  expect(modes.length).toBeGreaterThan(2)
  expect(new Set(modes)).toEqual(new Set([0]))
  // Weakened: the same program outside leaves some.
  const bare = readdirSync(path.join(folder, 'bare')).map((name) => lstatSync(path.join(folder, 'bare', name)).mode & 0o6000)
  expect(bare.filter((mode) => mode !== 0).length).toBeGreaterThan(1)
})

it('KRN-09 no typing into terminals, no line discipline, nothing of the console', () => {
  refused(['tiocsti', 'tioclinux', 'tiocsetd', 'kdskbsent', 'vt-activate'], [EPERM])
})

it('NET-07 NET-19 NET-20 NET-21 NET-26 no family of sockets but Unix, TCP, UDP and reading of routes', () => {
  const open = [...inside.keys()].filter((name) => /^(family|netlink)-/.test(name))
  expect(open.filter((name) => !/^(family-1-\d|family-(2|10)-[12]|family-16-[23]|netlink-0)$/.test(name))).toEqual([])
  expect(open).toEqual(expect.arrayContaining(['family-1-1', 'family-2-1', 'family-2-2', 'netlink-0']))
})

it('KRN-18 kill(-1) meets only the cell', () => {
  expect(inside.get('kill-all')).toBe(3) // ESRCH: nobody else is there
})

it('KRN-19 queues, semaphores and shared memory of the host do not exist inside', async () => {
  const key = String(0x5a000000 + process.pid)
  execFileSync(program, ['make', key])
  try {
    expect(execFileSync(program, ['ipc', key], { encoding: 'utf8' })).toBe('shm 1 sem 1 msg 1\n')
    const { stdout } = await inCell(
      world,
      `./kernel ipc ${key}; ./kernel make ${key}; ./kernel ipc ${key}; ls /dev/shm; ls /dev/mqueue 2>&1`,
    )
    expect(stdout.split('\n').slice(0, 3)).toEqual(['shm 0 sem 0 msg 0', 'shm 1 sem 1 msg 1', 'shm 1 sem 1 msg 1'])
    expect(stdout.split('\n').length).toBeLessThan(7)
  } finally {
    execFileSync(program, ['drop', key])
  }
})

it('KRN-01 KRN-02 KRN-03 every process of the cell: no capability, no new privileges, filtered, no namespace of the host', async () => {
  const names = ['user', 'mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net']
  const { stdout } = await inCell(
    makeWorld(),
    `sleep 5 & for p in 1 2 self $!; do grep -hE '^(Cap|NoNew|Seccomp:)' /proc/$p/status | tr -d '\\t\\n'; echo; done; for n in ${names.join(' ')}; do readlink /proc/self/ns/$n; done
    su root -c id 2>&1; find / -xdev -perm /6000 -type f 2>/dev/null | head -1 | wc -l; id -u`,
  )
  const lines = stdout.split('\n')
  const bare = `CapInh:${'0'.repeat(16)}CapPrm:${'0'.repeat(16)}CapEff:${'0'.repeat(16)}CapBnd:${'0'.repeat(16)}CapAmb:${'0'.repeat(16)}NoNewPrivs:1Seccomp:2`
  expect(lines.slice(0, 4)).toEqual([bare, bare, bare, bare])
  names.forEach((name, index) => {
    expect(lines[4 + index]).toMatch(new RegExp(`^${name}:`))
    expect(lines[4 + index]).not.toBe(readlinkSync(`/proc/self/ns/${name}`))
  })
  expect(stdout).not.toContain('uid=0')
})

it('KRN-14 KRN-15 KRN-17 FS-32 nothing of /proc and /sys can be written, for a root caller either; what tells of the host is empty', async () => {
  const script = `
    n=0; for f in $(find /proc/sys /proc/irq /proc/bus /sys -type f 2>/dev/null); do n=$((n+1)); ( : >> "$f" ) 2>/dev/null && echo "opened $f"; done; echo "tried $n"
    for f in sysrq-trigger timer_list kcore keys kallsyms cmdline partitions iomem locks config.gz; do [ -e /proc/$f ] && head -c 9 /proc/$f | wc -c; done | sort -u
    ls -d /sys/fs /sys/class /sys/kernel /sys/firmware /dev/mqueue 2>/dev/null; find /proc -maxdepth 1 -writable -type f
    hostname; ls /dev; : >> here && echo writable`
  const { stdout } = await inCell(makeWorld(), script)
  expect(stdout).not.toContain('opened')
  expect(Number(/tried (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(200)
  expect(stdout).toMatch(/tried \d+\n0\nanchorhold\n/)
  expect(stdout).toContain('writable')
  expect(stdout).not.toContain(os.hostname() === 'anchorhold' ? '\0' : os.hostname())
  // FS-31
  expect(/anchorhold\n([^]*)\nwritable/.exec(stdout)?.[1]?.split('\n')).toEqual([
    'core',
    'fd',
    'full',
    'null',
    'ptmx',
    'pts',
    'random',
    'shm',
    'stderr',
    'stdin',
    'stdout',
    'tty',
    'urandom',
    'zero',
  ])
})

it('KRN-16 KRN-32 the floors of kernel and bubblewrap are looked at', async () => {
  const { stdout, code } = await anchorhold(makeWorld(), ['doctor', '--json'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/bubblewrap\/kernel/)
  expect(stdout).toMatch(/bubblewrap\/program/)
})

it('SEC-03 KRN-08 FS-13 nobody’s memory or descriptors can be had through /proc; every root there is the cell’s own', async () => {
  const script = String.raw`
    sub memory { my ($pid) = @_; open(my $maps, '<', "/proc/$pid/maps") or return 0; my ($start) = <$maps> =~ /^([0-9a-f]+)/ or return 0;
      open(my $mem, '<:raw', "/proc/$pid/mem") or return 0; sysseek($mem, hex $start, 0) or return 0; return sysread($mem, my $bytes, 4) || 0 }
    print "own ", memory('self'), " init ", memory(1), " ", memory('1/task/1'), "
";
    for (qw(fd map_files task)) { opendir(my $d, "/proc/1/$_"); print "$_ ", scalar(grep { !/^\./ } readdir $d), "
" }
    for (${process.pid}, ${process.ppid}) { print -e "/proc/$_" ? "there
" : "absent
" }
    for my $start (qw(/proc/self/root /proc/1/root /proc/self/root/proc/self/root/.. /proc/self/cwd/../../.. /proc/1/cwd)) {
      for my $end ('${secret}', '/../../../../../../etc/shadow') { print open(my $file, '<', $start . $end) ? "opened
" : "$!
" } }`
  writeFileSync(secret, 'CANARY')
  const { stdout } = await anchorhold(world, ['run', '--', 'perl', '-e', script])
  expect(stdout.split('\n').slice(0, 6)).toEqual(['own 4 init 0 0', 'fd 0', 'map_files 0', 'task 0', 'absent', 'absent'])
  expect(new Set(stdout.trim().split('\n').slice(6))).toEqual(new Set(['No such file or directory']))
})

it('SEC-04 a crash leaves no core, here or with the host', async () => {
  const place = makeWorld()
  const { stdout } = await inCell(place, 'grep core /proc/self/limits; sh -c "kill -ABRT \\$\\$"; echo "code $?"; ls -A')
  expect(stdout).toMatch(/Max core file size +0 +0 /)
  expect(stdout).toContain('code 134\n')
  expect(stdout.trim().endsWith('code 134')).toBe(true)
  expect(readdirSync(place.project)).toEqual([])
})

it('FS-18 nothing that the host mounts later spreads into the cell: its mounts are nobody’s peers', async () => {
  const { stdout } = await inCell(makeWorld(), 'cat /proc/self/mountinfo')
  expect(stdout.split('\n').length).toBeGreaterThan(20)
  expect(stdout).not.toMatch(/ shared:| master:/)
  // Control: the word is known to this check where a mount is shared.
  expect(readFileSync('/proc/self/mountinfo', 'utf8').length).toBeGreaterThan(0)
})

it.each([
  ['in a cell', true],
  ['weakened: a plain process', false],
] as const)('KRN-09 the terminal is not kept for exclusive use: %s', async (_name, walled) => {
  const place = makeWorld()
  // TIOCEXCL; afterwards TIOCGEXCL on the same terminal tells.
  const seize = `perl -e 'ioctl(STDIN, 0x540C, 0); print "seized\n"'`
  const ask = `perl -e 'my $v = pack("l", -1); ioctl(STDIN, 0x80045440, $v); print "exclusive ", unpack("l", $v), "\n"'`
  const { stdout } = await promisify(execFile)('script', ['-qefc', `${walled ? `'${bin}' run -- ` : ''}${seize}; ${ask}`, '/dev/null'], {
    cwd: place.project,
    env: place.env,
  })
  expect(stdout).toContain('seized')
  expect(stdout).toContain(`exclusive ${walled ? 0 : 1}`)
})

it('FS-16 a working folder that is a link, or lies outside: the roots stay those of the project', async () => {
  const place = makeWorld()
  const sub = path.join(place.project, 'sub')
  const outer = path.join(place.home, 'outer')
  for (const each of [sub, outer]) mkdirSync(each)
  symlinkSync(sub, path.join(place.home, 'link'))
  symlinkSync(outer, path.join(place.project, 'away'))
  const script = 'pwd -P; touch ../beside ../../above 2>&1; cd /; touch here 2>&1 | wc -l; touch ../../../../escaped 2>&1 | wc -l'
  const inner = await anchorhold(place, ['run', '--', 'sh', '-c', script], { cwd: path.join(place.home, 'link') })
  expect(inner.stdout.startsWith(`${sub}\n`)).toBe(true)
  expect(readdirSync(outer)).toEqual([])
  expect(readdirSync(place.home)).not.toContain('above')
  // A link out of the project as the place to start: that folder is the project then, and alone.
  const away = await anchorhold(place, ['run', '--', 'sh', '-c', `pwd -P; touch made; ls ${place.project} 2>/dev/null | wc -l`], {
    cwd: path.join(place.project, 'away'),
  })
  expect(away.stdout).toBe(`${outer}\n0\n`)
  expect(readdirSync(outer)).toEqual(['made'])
})
