// What stays when anchorhold itself is killed, and when the watch is overrun (attacks.md FS-07, FS-24, PER-01; P11): the next start, or the scout itself, makes up for it.
import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { nativePath } from '../../src/host/paths.ts'
import { inCell, start } from '../support/anchorhold.ts'
import { git, gitWorld } from '../support/repository.ts'

async function until(ready: () => boolean): Promise<void> {
  for (let tries = 0; !ready(); tries += 1) {
    if (tries > 1500) throw new Error('waited in vain')
    await sleep(10)
  }
}

it('FS-07 PER-01 PER-02 after kill -9 the next start takes away what was planted and merges what git was lent', async () => {
  const world = gitWorld()
  git(world.project, 'config', 'core.hooksPath', 'my-hooks')
  const { child, outcome } = start(world, [
    'run',
    '--',
    'sh',
    '-c',
    'git remote add o https://git.example.test/o.git; git config core.fsmonitor x; mkdir box; touch up; while :; do mkdir -p .vscode my-hooks; echo e > .vscode/tasks.json; echo e > my-hooks/pre-commit; sleep 0.001; done',
  ])
  await until(() => existsSync(path.join(world.project, 'up')))
  child.kill('SIGKILL')
  await outcome
  expect(git(world.project, 'remote')).toBe('')
  expect((await inCell(world, 'ls -A')).stdout).toBe('.git\na.txt\nbox\nup\n')
  expect(readdirSync(world.project).toSorted()).toEqual(['.git', 'a.txt', 'box', 'up'])
  expect(git(world.project, 'remote')).toBe('o\n')
  expect(readFileSync(path.join(world.project, '.git/config'), 'utf8')).not.toContain('fsmonitor')
})

it('indexes of roots that nobody uses any more do not pile up', async () => {
  const world = gitWorld()
  const scan = path.join(world.home, '.local/state/anchorhold/scan')
  mkdirSync(scan, { recursive: true, mode: 0o700 })
  for (let index = 0; index < 200; index += 1) {
    writeFileSync(path.join(scan, `old${index}`), '')
    utimesSync(path.join(scan, `old${index}`), 1, 1)
  }
  await inCell(world, 'true')
  const left = readdirSync(scan)
  expect(left.length).toBeLessThan(64)
  expect(left.some((name) => !name.startsWith('old'))).toBe(true)
})

/** A scout by hand, so that it can be stopped and starved; answers what it said so far. */
function scoutOf(
  root: string,
  command: readonly string[],
): { readonly child: ChildProcessWithoutNullStreams; readonly said: () => string } {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'pipe', cwd: '/' })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stdin.write(['p1::**/.envrc', `r${root}`, 'w', '', ''].join('\0'))
  return { child, said: () => text }
}

function makeRoot(folders: number): string {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-scout-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (let index = 0; index < folders; index += 1) mkdirSync(path.join(root, `d${index}`))
  return root
}

it('FS-07 events that the kernel had to drop are made up for: everything is compared again', async () => {
  const root = makeRoot(3)
  const { child, said } = scoutOf(root, [nativePath('anchorhold-scout')])
  await until(() => said().split('\0').includes('W'))
  child.kill('SIGSTOP')
  const most = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
  execFileSync('perl', [
    '-e',
    'for (0 .. $ARGV[1]) { my $n = "$ARGV[0]/d0/f" . ($_ % 2 ? "a" : "b"); open F, ">", $n; close F; unlink $n }',
    root,
    String(most),
  ])
  writeFileSync(path.join(root, 'd2/.envrc'), 'planted')
  child.kill('SIGCONT')
  await until(() => said().includes('d2/.envrc'))
  expect(said().split('\0')).toContain('O')
})

it('FS-07 where the kernel gives no more watches the scout says so, and its last look finds everything', async () => {
  const root = makeRoot(50)
  const { child, said } = scoutOf(root, [
    'unshare',
    '-Ur',
    'sh',
    '-c',
    `echo 5 > /proc/sys/user/max_inotify_watches && exec '${nativePath('anchorhold-scout')}'`,
  ])
  await until(() => said().split('\0').includes('L'))
  writeFileSync(path.join(root, 'd49/.envrc'), 'planted')
  child.stdin.write('s\0')
  await until(() => said().includes('d49/.envrc'))
})
