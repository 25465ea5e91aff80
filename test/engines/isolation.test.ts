// What a cell is made of, looked at from inside, with the host's side as witness and a positive control in each run.
import { createServer } from 'node:net'
import { once } from 'node:events'
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { bubblewrap } from '../../src/engines/bubblewrap.ts'
import { makePlan, makeScratch, runPlan, runScript } from './support.ts'
import { buildFixture } from './fixtures/build.ts'

test("no capability, no new privileges, one filter, none of the host's namespaces", async () => {
  using scratch = makeScratch()
  const { stdout } = await runScript(
    bubblewrap,
    scratch,
    'grep -E "^(Cap|NoNewPrivs|Seccomp)" /proc/self/status; for n in user mnt pid ipc uts cgroup net; do echo "$n $(readlink /proc/self/ns/$n)"; done; hostname; hostname other || echo refused; id -u',
  )
  expect(stdout).toMatch(/CapInh:\t0{16}\nCapPrm:\t0{16}\nCapEff:\t0{16}\nCapBnd:\t0{16}\nCapAmb:\t0{16}\nNoNewPrivs:\t1\nSeccomp:\t2\n/)
  for (const name of ['user', 'mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net']) {
    const inside = new RegExp(`^${name} (${name}:\\[\\d+\\])$`, 'm').exec(stdout)?.[1]
    expect(inside, name).toBeDefined()
    expect(inside).not.toBe(readlinkSync(`/proc/self/ns/${name}`))
  }
  expect(stdout).toMatch(/\nanchorhold\nrefused\n/)
  const uid = process.getuid?.() === 0 ? 1000 : process.getuid?.()
  expect(stdout.trim().endsWith(`\n${uid}`)).toBe(true)
})

test('dangerous attempts are refused, ordinary ones work', async () => {
  using scratch = makeScratch()
  const program = buildFixture('probe', scratch.project)
  const { stdout } = await runPlan(bubblewrap, scratch, makePlan(scratch, [program]))
  const seen = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')),
  )
  const works = ['unix', 'tcp', 'tcp6', 'udp', 'route', 'fork', 'personality-read', 'fifo']
  for (const name of works) expect([name, seen[name]]).toEqual([name, '0'])
  const refused = {
    tiocsti: '1',
    'tiocsti-high-bits': '1',
    tioclinux: '1',
    tiocsetd: '1',
    raw: '1',
    raw6: '1',
    ping: '1',
    sctp: '1',
    mptcp: '93',
    packet: '97',
    vsock: '97',
    alg: '97',
    netfilter: '1',
    bluetooth: '97',
    'clone-user': '1',
    'clone-net': '1',
    'clone-mount': '1',
    clone3: '38',
    'unshare-user': '1',
    'personality-no-random': '1',
    device: '1',
    nice: '13',
    realtime: '1',
    chroot: '1',
  }
  expect(seen).toMatchObject(refused)
  if (process.arch === 'x64') expect(seen).toMatchObject({ int80: '38', x32: '38' })
})

test("only the cell's own processes, and an empty environment of process 1", async () => {
  using scratch = makeScratch()
  const script =
    'echo /proc/[0-9]*; tr "\\0" "\\n" < /proc/1/environ | wc -c; env; cat /proc/1/mem 2>/dev/null | wc -c; ls /proc/1/root 2>&1 | head -1'
  const { stdout } = await runScript(bubblewrap, scratch, script, { env: { PATH: '/usr/bin:/bin', WORD: 'a "b" $c\n=d' } })
  const [processes, size] = stdout.split('\n')
  expect(processes?.split(' ').length).toBeLessThan(5)
  expect(size).toBe('0')
  expect(stdout).toContain('WORD=a "b" $c\n=d')
  // PWD is the shell's own.
  expect(
    stdout
      .split('\n')
      .slice(2)
      .filter((line) => /^[A-Z_]+=/.test(line) && !line.startsWith('PWD='))
      .toSorted(),
  ).toEqual(['PATH=/usr/bin:/bin', 'WORD=a "b" $c'])
})

test('no descriptor above 2, no working folder outside, default signals', async () => {
  using scratch = makeScratch()
  const program = 'ls -l /proc/self/fd | grep -oE "[0-9]+ -> .*"; grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status; pwd; umask'
  const { stdout } = await runPlan(bubblewrap, scratch, makePlan(scratch, ['/bin/bash', '-c', program]))
  const numbers = [...stdout.matchAll(/^(\d+) -> (.*)$/gm)]
    .filter(([, , target]) => !/^\/proc\/\d+\/fd$/.test(target ?? ''))
    .map(([, number]) => Number(number))
  expect(numbers).toEqual([0, 1, 2])
  expect(stdout).toMatch(/SigBlk:\t0{16}\nSigIgn:\t0{16}/)
  expect(stdout).toContain(`\n${scratch.project}\n`)
  expect(stdout.trim().endsWith(process.umask().toString(8).padStart(4, '0'))).toBe(true)
})

test('/proc and /sys are masked', async () => {
  using scratch = makeScratch()
  const hidden = [
    'kcore',
    'keys',
    'key-users',
    'kallsyms',
    'timer_list',
    'sched_debug',
    'latency_stats',
    'interrupts',
    'kmsg',
    'modules',
    'config.gz',
    'slabinfo',
    'kpageflags',
  ]
  const script = `
    cd /proc; for f in ${hidden.join(' ')}; do [ -e $f ] && wc -c < $f; done | sort -u
    for d in acpi scsi asound; do [ -d $d ] && ls -A $d; done
    for f in sys/kernel/core_pattern sys/kernel/hostname sys/vm/drop_caches sys/kernel/modprobe sysrq-trigger irq/default_smp_affinity sys/fs/binfmt_misc/register sys/user/max_user_namespaces; do
      if { [ -e $f ] && echo x > $f; } 2>/dev/null; then echo "wrote $f"; fi; done
    mkdir irq/x bus/x 2>/dev/null && echo made
    ls -A /sys /sys/devices /sys/devices/system; echo x 2>/dev/null > /sys/devices/system/cpu/online && echo wrote
    cat /proc/sys/kernel/osrelease; grep -c ^processor cpuinfo; ls /dev | tr "\\n" " "`
  const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  const { stdout } = await runScript(bubblewrap, scratch, script)
  expect(stdout.split('\n')[0]).toBe('0')
  expect(stdout).not.toMatch(/wrote|made/)
  expect(stdout).toContain('/sys:\ndevices\n\n/sys/devices:\nsystem\n\n/sys/devices/system:\ncpu\n')
  expect(stdout).toContain(readFileSync('/proc/sys/kernel/osrelease', 'utf8'))
  expect(stdout).toMatch(/core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero $/)
  expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before)
})

test('the file system is what the plan says and nothing else can be written', async () => {
  using scratch = makeScratch()
  writeFileSync(path.join(scratch.outside, 'canary'), 'secret')
  const script = `
    for d in / /etc /usr /usr/bin /home /dev /run/anchorhold /run/anchorhold/covers /sys /proc /bin; do touch $d/x 2>/dev/null && echo "wrote $d"; done
    echo x 2>/dev/null > /etc/passwd && echo wrote passwd; rm -rf /run/anchorhold 2>/dev/null; mv /run/anchorhold /run/other 2>/dev/null && echo moved
    cat ${scratch.outside}/canary 2>&1 | grep -o "No such file"; ls -A ${path.dirname(scratch.project)}; ls -A /run/anchorhold
    for d in . /tmp /home/agent /dev/shm; do touch $d/ok && echo "ok $d"; done; stat -c %a /home /tmp /dev/shm`
  const { stdout } = await runScript(bubblewrap, scratch, script)
  expect(stdout).toBe('No such file\nproject\ncovers\nenter\nok .\nok /tmp\nok /home/agent\nok /dev/shm\n755\n1777\n1777\n')
})

test("nothing of the host's network is reached: loopback, abstract sockets; UDP goes nowhere", async () => {
  using scratch = makeScratch()
  const hits: string[] = []
  await using tcp = createServer(() => hits.push('tcp')).listen(0, '127.0.0.1')
  const name = `anchorhold-test-${Math.random()}`
  await using abstract = createServer(() => hits.push('abstract')).listen(`\0${name}`)
  await Promise.all([once(tcp, 'listening'), once(abstract, 'listening')])
  const address = tcp.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const preflight = [
    { kind: 'unreachable', address: '127.0.0.1', port: address.port },
    { kind: 'no-abstract-socket', name },
  ] as const
  const { end, stdout } = await runPlan(
    bubblewrap,
    scratch,
    makePlan(
      scratch,
      [
        '/bin/bash',
        '-c',
        `: <>/dev/tcp/127.0.0.1/${address.port}; cat /proc/net/route /proc/net/dev | grep -vcE "lo:|Inter|face|Iface"; echo end`,
      ],
      { preflight },
    ),
  )
  expect(end).toMatchObject({ kind: 'exited', code: 0 })
  expect(stdout).toBe('0\nend\n')
  expect(hits).toEqual([])
})
