// Attacks.md FS rows about what lies outside the project, from inside a real cell; the witness is the host's file system.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { quote, writeFiles } from '../support/repository.ts'

const nonce = () => Math.random().toString(36).slice(2, 12)

it('FS-01 FS-02 FS-04 FS-13 no canary of the home, of other projects or of the host is found by any way of reading', async () => {
  const world = makeWorld()
  const canary = `canary-${nonce()}`
  const places = [
    '.ssh/id_canary',
    '.aws/credentials',
    '.config/gh/hosts.yml',
    '.netrc',
    '.npmrc',
    '.docker/config.json',
    '.kube/config',
    '.git-credentials',
    '.mozilla/firefox/x.default/logins.json',
    '.bash_history',
    'work/other/CANARY',
  ]
  writeFiles(world.home, Object.fromEntries(places.map((place) => [place, canary])))
  const absolute = places.map((place) => path.join(world.home, place))
  writeFileSync(path.join(world.project, 'control'), canary)
  absolute.forEach((target, index) => symlinkSync(target, path.join(world.project, `absolute${index}`)))
  symlinkSync('../other/CANARY', path.join(world.project, 'relative'))
  symlinkSync('relative', path.join(world.project, 'chain'))
  symlinkSync('../..', path.join(world.project, 'up'))
  const roots = [
    '',
    '/proc/self/root',
    '/proc/1/root',
    '/proc/1/cwd/../../..',
    '/proc/self/cwd/../../..',
    '/proc/thread-self/root',
    `/proc/${process.pid}/root`,
    `/proc/${process.ppid}/root`,
    '/dev/fd/../root',
  ]
  const { stdout } = await inCell(
    world,
    `for r in ${roots.join(' ')}; do for f in ${absolute.map(quote).join(' ')}; do cat "$r$f" && echo "SEEN $r$f"; done; done 2>/dev/null
     cat absolute* relative chain ../other/CANARY up/other/CANARY ../../.netrc "$HOME"/.netrc 2>/dev/null; ls -A .. ../.. /home 2>/dev/null
     for d in /proc/[0-9]*; do ls -l $d/root $d/cwd $d/fd $d/exe; tr '\\0' ' ' < $d/environ; done 2>/dev/null | grep -F ${quote(world.home)} | grep -vF ${quote(world.project)}
     cat control; echo; grep -rlsF ${canary} --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr /`,
  )
  expect(stdout).not.toMatch(/SEEN|other|\.ssh|netrc/)
  expect(stdout.split('\n').filter((line) => line.includes('canary') || /^\/.*[^:]$/.test(line))).toEqual([
    canary,
    path.join(world.project, 'control'),
  ])
})

it('FS-03 FS-23 PER-35 writing outside reaches nobody, and the control inside does', async () => {
  const world = makeWorld()
  const name = `canary-${nonce()}`
  const folders = [
    '/',
    '/etc',
    '/etc/cron.d',
    '/usr',
    '/usr/bin',
    '/opt',
    '/var',
    '/var/tmp',
    '/var/spool/cron',
    '/root',
    '/home',
    '/tmp',
    '/dev/shm',
    '/run',
    '/boot',
    '/srv',
    '/mnt',
    '/lib',
    '/sys/fs/cgroup',
    world.home,
    path.join(world.home, '.config/systemd/user'),
    path.join(world.home, '.config/autostart'),
    path.join(world.home, '.ssh'),
    path.dirname(world.project),
  ]
  mkdirSync(path.join(world.home, '.ssh'), { recursive: true })
  mkdirSync(path.join(world.home, '.config/systemd/user'), { recursive: true })
  const { code } = await inCell(
    world,
    `for d in ${folders.map(quote).join(' ')} "$XDG_RUNTIME_DIR"; do mkdir -p $d; echo x > $d/${name}; ln -s /x $d/${name}.l; done 2>/dev/null; echo ok > ${name}`,
  )
  expect({
    code,
    written: folders.filter((folder) => existsSync(path.join(folder, name))),
    control: existsSync(path.join(world.project, name)),
  }).toEqual({ code: 0, written: [], control: true })
})

it('FS-10 FS-11 nothing read-only, hidden or of others can be linked into the project', async () => {
  const world = makeWorld()
  writeFiles(world.project, { '.env': 'SECRET', '.envrc': 'original', 'own.txt': 'own' })
  const targets = [
    '/etc/passwd',
    '/etc/ssl/certs/ca-certificates.crt',
    '/usr/bin/env',
    '/proc/self/status',
    '/dev/null',
    '.env',
    '.envrc',
    '/etc/hosts',
  ]
  const { stdout } = await inCell(
    world,
    `for f in ${targets.join(' ')}; do ln "$f" "l-$(basename $f)" && echo "LINKED $f"; ln -L "$f" "m-$(basename $f)" && echo "LINKED $f"; done 2>/dev/null; ln own.txt own2 && echo control`,
  )
  expect(stdout).toBe('control\n')
  expect(readdirSync(world.project).toSorted()).toEqual(['.env', '.envrc', 'own.txt', 'own2'])
})

it('FS-12 FS-18 FS-20 FS-19 mounts, devices and privileged bits', async () => {
  const world = makeWorld()
  writeFiles(world.project, { '.env': 'SECRET', '.envrc': 'original' })
  const script = `
    mount -o remount,rw / && echo BAD1; mount -o remount,rw,bind .envrc && echo BAD2; umount .env && echo BAD3; umount -l .envrc && echo BAD4
    unshare -Urm sh -c 'umount .env; cat .env' && echo BAD5; unshare -rm true && echo BAD6; mount --make-shared / && echo BAD7; mount --bind /tmp /etc && echo BAD8; mount -t tmpfs x . && echo BAD9; pivot_root . . && echo BAD10
    mknod null c 1 3 && echo BAD11; mknod blk b 7 0 && echo BAD12; mknod /tmp/null c 1 3 && echo BAD13
    cp /bin/true t; chmod 6755 t; setcap cap_net_raw+ep t && echo BAD14; setfattr -n security.capability -v 0x0000000200000000000000000000000000000000 t && echo BAD15
    chattr +i t && echo BAD16; chattr +a t && echo BAD17
    grep -o ' shared:[0-9]*' /proc/self/mountinfo && echo BAD18
    awk -v p="$PWD" '$5 == p { print $6 }' /proc/self/mountinfo | head -1
    touch control && echo control`
  const { stdout } = await inCell(world, `(${script}) 2>/dev/null`)
  expect(stdout).not.toMatch(/BAD|SECRET/)
  expect(stdout).toMatch(/nosuid.*nodev[^\n]*\ncontrol\n$/)
})

it('FS-14 FS-31 FS-32 descriptors, devices, kernel settings', async () => {
  const world = makeWorld()
  const script = `
    ls /proc/self/fd | grep -vE '^[0-3]$'; for i in $(seq 0 1023); do [ -d /proc/self/fd/$i ] && readlink /proc/self/fd/$i | grep -v '^/proc'; done
    for d in mem kmsg kvm fuse net/tun loop-control vhost-net dri/card0 input/event0 uinput snd/seq video0 tty0 vda sda; do [ -e /dev/$d ] && echo "DEV $d"; done
    for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /sys/fs/cgroup/cgroup.procs /proc/sysrq-trigger /proc/sys/vm/drop_caches /proc/sys/net/ipv4/ip_forward; do echo x > $f && echo "WRITTEN $f"; done
    cat /sys/class/dmi/id/product_serial /sys/firmware/dmi/tables/DMI /proc/kcore /proc/keys 2>/dev/null | head -c 20; ls /sys/firmware /dev/disk 2>/dev/null; hostname; echo end`
  const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  const { stdout } = await inCell(world, `(${script}) 2>/dev/null`)
  expect(stdout).toBe('anchorhold\nend\n')
  expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before)
})

it('FS-17 no file is opened by its handle', async () => {
  const world = makeWorld()
  // name_to_handle_at and open_by_handle_at by number, on x86-64 and arm64.
  const numbers = process.arch === 'arm64' ? [264, 265] : [303, 304]
  const script = `perl -e 'my $h = pack("IiC128", 128, 0); my $m = pack("i", 0); my $r = syscall(${numbers[0]}, -100, my $n = ".", $h, $m, 0); my $f = syscall(${numbers[1]}, 3, $h, 0); print $f >= 0 ? "OPENED" : "refused"'; cat control`
  writeFileSync(path.join(world.project, 'control'), ' control')
  expect((await inCell(world, script)).stdout).toBe('refused control')
})

it('FS-18 what the host mounts below the project afterwards is not seen inside', async () => {
  const world = makeWorld()
  mkdirSync(path.join(world.project, 'point'))
  const cell = inCell(world, 'touch up; while [ ! -e go ]; do sleep 0.05; done; ls -A point; echo end')
  while (!existsSync(path.join(world.project, 'up'))) await new Promise((resolve) => setTimeout(resolve, 20))
  // Whoever may not mount on the host makes a mount of his own namespace: propagation is private either way.
  const mount = process.getuid?.() === 0 ? ['-m'] : ['-rm']
  execFileSync('unshare', [
    ...mount,
    'sh',
    '-c',
    `mount -t tmpfs x ${quote(path.join(world.project, 'point'))} && touch ${quote(path.join(world.project, 'point/CANARY'))} && ls ${quote(path.join(world.project, 'point'))} >/dev/null`,
  ])
  writeFileSync(path.join(world.project, 'go'), '')
  expect((await cell).stdout).toBe('end\n')
})

describe('FS-16 FS-26 roots', () => {
  it.each([
    ['the home', (home: string) => home],
    ['the root', () => '/'],
    ['/home', () => '/home'],
    ['a folder of settings', (home: string) => path.join(home, '.config')],
    ['a link to the home', (home: string) => path.join(home, 'link')],
    ['a spelling of the home', (home: string) => `${home}/work/../.`],
    ['anchorhold’s state', (home: string) => path.join(home, '.local/state/anchorhold')],
    ['a parent of anchorhold’s data', (home: string) => path.join(home, '.local')],
  ])('%s is refused as a project', async (_name, folder) => {
    const world = makeWorld()
    for (const name of ['.config', '.local/state/anchorhold']) mkdirSync(path.join(world.home, name), { recursive: true })
    symlinkSync('.', path.join(world.home, 'link'))
    const witness = path.join(world.project, 'ran')
    const { code, stderr } = await anchorhold(world, ['run', '--project', folder(world.home), '--', 'touch', witness])
    expect({ code, ran: existsSync(witness) }).toEqual({ code: 125, ran: false })
    expect(stderr).toMatch(/cannot be the project/)
    expect((await anchorhold(world, ['run', '--', 'touch', witness])).code).toBe(0)
    expect(existsSync(witness)).toBe(true)
  })

  it('a working folder that is a link or lies outside widens nothing', async () => {
    const world = makeWorld()
    const other = path.join(world.home, 'work/other')
    mkdirSync(other)
    symlinkSync(other, path.join(world.project, 'away'))
    await anchorhold(
      world,
      [
        'run',
        '--project',
        world.project,
        '--',
        'sh',
        '-c',
        `cd away 2>/dev/null; pwd; echo x > ${quote(other)}/x; echo x > ../other/x; echo ok > ${quote(world.project)}/control`,
      ],
      { cwd: other },
    )
    expect(readdirSync(other)).toEqual([])
    expect(existsSync(path.join(world.project, 'control'))).toBe(true)
  })
})

it('FS-34 FS-24 a second cell sees nothing of the first, nor of anchorhold’s own folders', async () => {
  const world = makeWorld()
  const secret = `of-first-${nonce()}`
  const other = path.join(world.home, 'work/other')
  mkdirSync(other)
  const first = inCell(
    world,
    `echo ${secret} | tee $HOME/x /tmp/x /dev/shm/x $XDG_RUNTIME_DIR/x > x; echo x > .envrc; touch up; while [ ! -e go ]; do sleep 0.05; done`,
  )
  while (!existsSync(path.join(world.project, 'up'))) await new Promise((resolve) => setTimeout(resolve, 20))
  const state = path.join(world.home, '.local')
  const { stdout } = await inCell(
    world,
    `ls -d ${quote(state)} ${quote(world.project)} 2>/dev/null; ls -A /tmp /dev/shm $XDG_RUNTIME_DIR $HOME | grep -x x; grep -rsF ${secret} --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr / | head -3; echo ok > control; rm -rf ${quote(state)}`,
    [],
    { cwd: other },
  )
  writeFileSync(path.join(world.project, 'go'), '')
  await first
  expect(stdout).toBe('')
  expect(existsSync(path.join(other, 'control'))).toBe(true)
  expect(existsSync(path.join(state, 'state/anchorhold/sessions'))).toBe(true)
})

it('FS-23 names planted in the host’s /tmp do not lead anchorhold anywhere', async () => {
  const world = makeWorld()
  const folder = realpathSync(mkdtempSync('/tmp/ah-tmp-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const victim = path.join(folder, 'victim')
  mkdirSync(victim)
  for (const name of ['anchorhold', 'anchorhold-1000', 'anchorhold-0', 'ah', 'bwrap']) symlinkSync(victim, path.join(folder, name))
  const { code } = await inCell(world, 'mktemp; echo ok > control', [], { env: { TMPDIR: folder } })
  expect({ code, found: readdirSync(victim), control: existsSync(path.join(world.project, 'control')) }).toEqual({
    code: 0,
    found: [],
    control: true,
  })
})

it('PER-31 programs planted in the project are not used by anchorhold, wherever it is started', async () => {
  const world = makeWorld()
  const canary = path.join(world.home, 'ran')
  const names = [
    'git',
    'node',
    'bwrap',
    'rg',
    'python',
    'python3',
    'sh',
    'bash',
    'env',
    'ip',
    'cc',
    'npm',
    'readlink',
    'dirname',
    'flock',
    'ld.so',
    'anchorhold-cell',
    'anchorhold-scout',
  ]
  for (const folder of ['', 'bin', 'node_modules/.bin'])
    for (const name of names) writeFiles(world.project, { [path.join(folder, name)]: `#!/bin/sh\ntouch ${canary}\n` })
  execFileSync('chmod', ['-R', '755', world.project])
  const project = world.project
  for (const args of [['run', '--', '/bin/true'], ['doctor'], ['sessions'], ['policy'], ['explain', 'path', 'bin/git']])
    await anchorhold(world, args, { env: { PATH: process.env['PATH'] ?? '' } })
  expect(existsSync(canary)).toBe(false)
  // The control: a PATH of the user's that begins in the project finds them.
  execFileSync('rg', [], { cwd: project, env: { PATH: `${project}:/usr/bin:/bin` } })
  expect(existsSync(canary)).toBe(true)
})

it('PER-33 PER-34 the cell’s home is its own per project; programs of the host stay as they are', async () => {
  const world = makeWorld()
  const other = path.join(world.home, 'work/other')
  mkdirSync(other)
  writeFiles(world.home, { '.local/bin/tool': 'original', '.claude/settings.json': '{}' })
  await inCell(
    world,
    `mkdir -p $HOME/.claude/plugins ${quote(path.join(world.home, '.local/bin'))}; echo evil > $HOME/.claude/plugins/x; echo evil > ${quote(path.join(world.home, '.local/bin/tool'))}; echo evil > $HOME/.local/bin/tool; ls $HOME/.claude/plugins > control`,
  )
  expect((await inCell(world, 'ls -A $HOME/.claude/plugins 2>/dev/null; echo end', [], { cwd: other })).stdout).toBe('end\n')
  expect(readFileSync(path.join(world.home, '.local/bin/tool'), 'utf8')).toBe('original')
  expect(readFileSync(path.join(world.home, '.claude/settings.json'), 'utf8')).toBe('{}')
  expect(readFileSync(path.join(world.project, 'control'), 'utf8')).toBe('x\n')
})

it('FS-19 ownership and modes of what is made inside are the user’s, whatever the caller’s umask', async () => {
  const world = makeWorld()
  await inCell(world, 'umask; touch plain; mkdir folder; umask 077; touch private; chmod 640 plain2 2>/dev/null; cp -p plain kept')
  const facts = (name: string) => {
    const info = statSync(path.join(world.project, name))
    return [info.uid, info.gid, (info.mode & 0o777).toString(8)]
  }
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  const umask = process.umask()
  expect(facts('plain')).toEqual([uid, gid, (0o666 & ~umask).toString(8)])
  expect(facts('folder')).toEqual([uid, gid, (0o777 & ~umask).toString(8)])
  expect(facts('private')).toEqual([uid, gid, '600'])
})
