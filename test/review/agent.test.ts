// What an agent in a real cell can leave behind for whoever reads it: files that cost more than they hold, folders that lock themselves,
// overlayfs's own marks made by hand, git's own files changed or gone; and commands that meet it while it still works.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { anchorhold, inCell, start } from '../support/anchorhold.ts'
import { git, gitWorld, writeFiles } from '../support/repository.ts'
import { fingerprint, newest } from './world.ts'

const review = ['--workspace', 'review']

it('terabytes of holes cost nobody anything: told, neither read nor applied; a file with few is applied byte for byte (TRM-27)', async () => {
  const world = gitWorld()
  const { code, stderr } = await inCell(
    world,
    'truncate -s 8T huge; truncate -s 9T a.txt; truncate -s 20M few; echo end >> few; echo y > y',
    [...review, '--limit', 'disk=1g'],
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/4 files changed, 2 need your eyes/) })
  const shown = await anchorhold(world, ['diff'])
  expect(shown.stdout).toMatch(
    /added huge\n {2}! escapes: a file that is nearly all holes, which is never applied[^]*binary: nothing → 8 TiB, nearly all holes/,
  )
  expect((await anchorhold(world, ['diff', '--stat'])).stdout).toMatch(/ huge +\| binary 0 → 8 TiB/)
  const patch = await anchorhold(world, ['diff', '--patch'])
  expect(patch.stderr).toMatch(/not in the patch, .*: a\.txt, huge\n/)
  execFileSync('git', ['apply', '--check', '-'], { cwd: world.project, input: patch.stdout })
  const applied = await anchorhold(world, ['apply', 'huge', 'a.txt', 'few', 'y'])
  expect(applied).toMatchObject({ code: 1, stdout: expect.stringMatching(/left huge: most of it are holes/) })
  const read = (name: string) => readFileSync(path.join(world.project, name))
  expect([read('few').equals(Buffer.concat([Buffer.alloc(20 * 2 ** 20), Buffer.from('end\n')])), read('a.txt').toString()]).toEqual([
    true,
    'one\n',
  ])
  expect(existsSync(path.join(world.project, 'huge'))).toBe(false)
}, 120_000)

it('a project folder that the agent locked is gone on with, read and applied', async () => {
  const world = gitWorld()
  mkdirSync(path.join(world.project, 'kept'))
  const mode = statSync(world.project).mode
  await inCell(world, 'mkdir -p d/e; echo x > d/e/f; chmod 0 d/e/f d/e d; chmod 0 kept .', [...review, '--name', 'locked'])
  const again = await anchorhold(world, ['run', '--continue', 'locked', '--', 'sh', '-c', 'cat a.txt; stat -c %a d'])
  expect(again).toMatchObject({ code: 0, stdout: 'one\n0\n' })
  expect((await anchorhold(world, ['diff'])).stdout).toContain('+x')
  expect((await anchorhold(world, ['apply', 'd/e/f'])).code).toBe(0)
  expect((await anchorhold(world, ['apply', '--all'])).code).toBe(0)
  expect(['.', 'kept', 'd', 'd/e'].map((name) => statSync(path.join(world.project, name)).mode & 0o700)).toEqual([
    0o700, 0o700, 0o700, 0o700,
  ])
  expect(statSync(world.project).mode).toBe(mode)
  await anchorhold(world, ['discard'])
  await anchorhold(world, ['sessions', 'prune'])
  execFileSync('chmod', ['-R', 'u+rwx', world.home]) // so that the world can be removed by its owner
}, 60_000)

it("overlayfs's own marks, made by hand, hide nothing and lead nowhere; whiteouts can't be made", async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'dir/inner': 'inner\n', 'b.txt': 'b\n' })
  const script = `
import os
marks = ['opaque', 'whiteout', 'redirect', 'metacopy', 'origin', 'impure', 'overlay.opaque', 'overlay.whiteout']
open('made', 'w').write('made\\\\n'); open('b.txt', 'a').write('more\\\\n')
for place in ('.', 'dir', 'b.txt', 'made'):
    for mark in marks:
        try: os.setxattr(place, 'user.overlay.' + mark, b'/etc' if mark == 'redirect' else b'y')
        except OSError as error: pass
for device in (0, os.makedev(1, 1)):
    try: os.mknod('wh', 0o20666, device); print('made')
    except OSError: pass
`
  const first = await inCell(world, `python3 -c "${script}"; ls`, [...review, '--name', 'marks'])
  expect(first).toMatchObject({ code: 0, stdout: 'a.txt\nb.txt\ndir\nmade\n' })
  const again = await anchorhold(world, ['run', '--continue', 'marks', '--', 'sh', '-c', 'cat made b.txt dir/inner; ls -A dir'])
  expect(again).toMatchObject({ code: 0, stdout: 'made\nb\nmore\ninner\ninner\n' })
  expect((await anchorhold(world, ['diff', '--name-only'])).stdout).toBe('b.txt\nmade\n')
}, 60_000)

it("git's own files: what is taken away or led elsewhere needs eyes like what is added (PER-01, PER-03, TRM-19)", async () => {
  const world = gitWorld()
  git(world.project, 'remote', 'add', 'origin', 'https://one.test/x')
  git(world.project, 'config', 'commit.gpgsign', 'true')
  writeFiles(world.project, { '.git/hooks/pre-commit': '#!/bin/sh\n', '.git/info/exclude': '# none\n' })
  const before = fingerprint(world.project)
  await inCell(
    world,
    `rm .git/hooks/pre-commit; echo evil.js >> .git/info/exclude; git config remote.origin.url https://two.test/x; git config --unset commit.gpgsign
     git config user.email agent@agent.test; git remote add more https://more.test/x`,
    review,
  )
  const { stdout } = await anchorhold(world, ['diff'])
  for (const told of [
    'with git, no longer: the hook pre-commit',
    'git status would pass over other files',
    'sets remote.origin.url = https://two.test/x, which was https://one.test/x',
    'takes away commit.gpgsign = true',
    'sets user.email = agent@agent.test',
  ])
    expect(stdout).toContain(told)
  expect(stdout).not.toMatch(/! .*more\.test/)
  expect((await anchorhold(world, ['apply', '--all'])).stdout).toMatch(/^0 changes applied, 3 left/m)
  expect(fingerprint(world.project)).toBe(before)
  await anchorhold(world, ['discard'])
  await inCell(world, 'rm .git/config', review)
  expect((await anchorhold(world, ['apply', '--all'])).stdout).toContain('left .git/config: it needs your eyes')
  expect(fingerprint(world.project)).toBe(before)
}, 90_000)

it('while the agent works: diff shows how it stands, nothing can be applied, dropped or taken back', async () => {
  const world = gitWorld()
  const { child, outcome } = start(world, [
    'run',
    ...review,
    '--',
    'sh',
    '-c',
    'echo half >> a.txt; echo ready; read wait; echo whole >> a.txt; sleep 60',
  ])
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  const { id } = newest(world).proposal
  const diff = await anchorhold(world, ['diff'])
  expect(diff.stdout).toMatch(/The agent is still at work[^]*\+half/)
  for (const words of [
    ['apply', id, '--all'],
    ['apply', id, 'a.txt'],
    ['undo', id],
    ['discard', id],
    ['run', '--continue', id, '--', 'true'],
  ])
    expect(await anchorhold(world, words)).toMatchObject({ code: 125, stderr: expect.stringMatching(/is in use/) })
  expect(readFileSync(path.join(world.project, 'a.txt'), 'utf8')).toBe('one\n')
  child.kill('SIGTERM')
  await outcome
  expect((await anchorhold(world, ['apply', id, 'a.txt'])).code).toBe(0)
  expect(readFileSync(path.join(world.project, 'a.txt'), 'utf8')).toBe('one\nhalf\nwhole\n')
}, 90_000)

it('names like those that anchorhold makes are names like any other, also where the agent knows the session', async () => {
  const world = gitWorld()
  writeFileSync(path.join(world.project, 'b.txt'), 'b\n')
  await inCell(world, 'echo more >> a.txt', [...review, '--name', 'first'])
  const id = newest(world).proposal.id.slice(-4)
  const script = `rm b.txt; for n in 1 2 3 4 5 6 7 8 9; do mkdir ".anchorhold-${id}-1-$n"; echo $n > ".anchorhold-${id}-1-$n/f"; done
     echo 2 > .anchorhold-move-1-1; mkdir roots; echo 3 > roots/0; echo 4 > apply.json; echo 5 > proposal.json`
  await anchorhold(world, ['run', '--continue', 'first', '--', 'sh', '-c', script])
  const applied = await anchorhold(world, ['apply', '--all'])
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringMatching(/^15 changes applied/m) })
  expect((await anchorhold(world, ['diff', newest(world).proposal.id])).stdout).not.toMatch(/^(added|deleted|modified)/m)
  expect((await anchorhold(world, ['undo'])).code).toBe(0)
  expect(readdirSync(world.project).toSorted()).toEqual(['.git', 'a.txt', 'b.txt'])
}, 60_000)
