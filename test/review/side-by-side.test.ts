// What else happens to the project while proposals wait: other proposals are applied, branches are left and come back to, editors hold files,
// the disk can't be written, somebody presses Ctrl-C.
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { anchorhold, bin, inCell, type World } from '../support/anchorhold.ts'
import { git, gitWorld, writeFiles } from '../support/repository.ts'
import { openTerminal } from '../support/terminal.ts'
import { fingerprint, newest } from './world.ts'

const review = ['--workspace', 'review']
const lines = (count: number) => Array.from({ length: count }, (_, line) => `${line + 1}\n`).join('')
const read = (world: World, name: string): string => readFileSync(path.join(world.project, name), 'utf8')

it('two proposals made at the same time are both applied: apart where they meet in nothing, merged where they meet in one file, taken back in turn', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'long.txt': lines(40), 'both.txt': 'start\n' })
  await Promise.all([
    inCell(world, "sed -i 's/^3$/three/' long.txt; echo A > a-only; echo A > both.txt", [...review, '--name', 'A']),
    inCell(world, "sed -i 's/^33$/thirty-three/' long.txt; echo B > b-only; echo B > both.txt; rm a.txt", [...review, '--name', 'B']),
  ])
  expect((await anchorhold(world, ['apply', 'A', '--all'])).code).toBe(0)
  const second = await anchorhold(world, ['apply', 'B', '--all'])
  expect(second).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/applied b-only[^]*left both\.txt: [^]*left long\.txt: [^]*merge cleanly/),
  })
  expect((await anchorhold(world, ['apply', 'B', '--merge', 'long.txt'])).code).toBe(0)
  expect([read(world, 'long.txt'), read(world, 'both.txt'), read(world, 'a-only'), read(world, 'b-only')]).toEqual([
    lines(40).replace('\n3\n', '\nthree\n').replace('\n33\n', '\nthirty-three\n'),
    'A\n',
    'A\n',
    'B\n',
  ])
  // A is below B now: it is not taken back before.
  expect(await anchorhold(world, ['undo', 'A'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/long\.txt/) })
  for (const name of ['B', 'B', 'A']) expect(await anchorhold(world, ['undo', name])).toMatchObject({ code: 0 })
  expect([read(world, 'long.txt'), read(world, 'both.txt')]).toEqual([lines(40), 'start\n'])
  expect(readdirSync(world.project).toSorted()).toEqual(['.git', 'a.txt', 'both.txt', 'long.txt'])
}, 90_000)

it('a branch that is left and come back to makes the same files anew: what the agent deleted or changed of them still fits', async () => {
  const world = gitWorld()
  writeFiles(world.project, { gone: 'gone\n', 'folder/x': 'x\n', 'folder/y/z': 'z\n', edit: 'edit\n', 'Name.txt': 'a name\n' })
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'second')
  await inCell(world, 'rm gone; rm -r folder; echo more >> edit; mv Name.txt NAME.txt', review)
  git(world.project, 'checkout', '-q', 'HEAD~1')
  git(world.project, 'checkout', '-q', 'main')
  const { stdout } = await anchorhold(world, ['diff', '--stat'])
  expect(stdout).not.toMatch(/not known/)
  expect(stdout).toMatch(/Name\.txt → NAME\.txt +\| renamed\n/) // and only in its case: nothing to be taken for another
  expect(await anchorhold(world, ['apply', '--all'])).toMatchObject({ code: 0 })
  expect(readdirSync(world.project).toSorted()).toEqual(['.git', 'NAME.txt', 'a.txt', 'edit'])
}, 60_000)

it('LIMIT: a file of several names comes apart where one of them is changed, in the view and in the project; the diff says so', async () => {
  const world = gitWorld()
  writeFiles(world.project, { one: 'x\n' })
  const outside = path.join(world.home, 'outside')
  execFileSync('sh', ['-c', `ln one two; ln one ${outside}`], { cwd: world.project })
  const { stdout } = await inCell(world, 'echo more >> one; cat two; stat -c %h two', review)
  expect(stdout).toBe('x\n3\n')
  expect((await anchorhold(world, ['diff'])).stdout).toContain('one of 3 names of a file (hard links): the others keep what it was')
  expect(await anchorhold(world, ['apply', '--all'])).toMatchObject({ code: 0 })
  expect([read(world, 'one'), read(world, 'two'), readFileSync(outside, 'utf8')]).toEqual(['x\nmore\n', 'x\n', 'x\n'])
  const limits = readFileSync(path.join(import.meta.dirname, '../../docs/limitations.md'), 'utf8')
  expect(limits).toMatch(/\*\*Hard links of the project come apart\*\*/)
}, 60_000)

it('a program that holds a file open writes into the one that was replaced, and never half over the new one; its next save is its own', async () => {
  const world = gitWorld()
  await inCell(world, 'echo agent >> a.txt', review)
  const file = path.join(world.project, 'a.txt')
  const held = openSync(file, 'r+')
  onTestFinished(() => closeSync(held))
  const locker = spawn('flock', [file, 'sleep', '30'], { stdio: 'ignore' })
  onTestFinished(() => void locker.kill())
  expect(await anchorhold(world, ['apply', 'a.txt'])).toMatchObject({ code: 0 })
  writeSync(held, 'late', 0)
  expect(read(world, 'a.txt')).toBe('one\nagent\n')
  // As editors save: a new file in its place. From here on it is the user's, and is not taken back unasked.
  writeFileSync(`${file}~`, 'one\nagent\nmine\n')
  renameSync(`${file}~`, file)
  expect(await anchorhold(world, ['undo'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/a\.txt/) })
  expect(read(world, 'a.txt')).toBe('one\nagent\nmine\n')
  expect(await anchorhold(world, ['undo', 'a.txt'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/what you had in a\.txt is kept/),
  })
  expect(read(world, 'a.txt')).toBe('one\n')
}, 60_000)

it('a project on a disk that is read-only is worked on, read and dropped; apply says what it met and changes nothing', async () => {
  const world = gitWorld()
  const before = fingerprint(world.project)
  const as = 'git -c user.name=a -c user.email=a@a.test'
  const script = `p=$PWD; mount --bind "$p" "$p" && mount -o remount,bind,ro "$p" && cd / && cd "$p" || exit 8; ( : > x ) 2>/dev/null && exit 9
    $BIN run --workspace review -- sh -c 'echo more >> a.txt; echo y > y; git add -A; ${as} commit -qm inside; git status --short'
    $BIN diff --stat; $BIN apply --all; echo "code $?"; $BIN apply --all --commits >/dev/null; echo "code $?"; $BIN sessions --json; $BIN discard`
  const out = execFileSync('unshare', ['-Urm', 'sh', '-c', `{ ${script}; } 2>&1`], {
    cwd: world.project,
    env: { ...world.env, BIN: bin },
  }).toString()
  expect(out).toMatch(/ a\.txt \| 1 \+\n y +\| 1 \+ added/)
  expect(out).toMatch(
    /Applying stopped at a\.txt: EROFS: read-only file system\. Everything is as it was before\.[^]*code 125\n[^]*No branch was moved[^]*code 125\n/,
  )
  expect(out).toMatch(/is discarded/)
  expect(fingerprint(world.project)).toBe(before)
}, 60_000)

it('Ctrl-C in the middle of applying thousands: all is as before, and said; a kill there is finished or taken back by the next command', async () => {
  const world = gitWorld()
  await inCell(world, 'mkdir m; i=0; while [ $i -lt 3000 ]; do echo $i > m/$i; i=$((i+1)); done; echo more >> a.txt', [
    ...review,
    '--name',
    'many',
  ])
  const begun = async (): Promise<void> => {
    // The journal is written: from here on the project itself changes.
    const applies = path.join(newest(world).folder, 'applies')
    const names = (): readonly string[] => (existsSync(applies) ? readdirSync(applies) : [])
    const known = names().length
    const deadline = Date.now() + 60_000
    for (;;) {
      const last = names().toSorted((a, b) => Number(b) - Number(a))[0]
      if (names().length >= Math.max(1, known) && last !== undefined) {
        const file = path.join(applies, last, 'apply.json')
        if (existsSync(file) && readFileSync(file, 'utf8').includes('"state":"prepared"') && existsSync(path.join(world.project, 'm')))
          return
      }
      if (Date.now() > deadline) throw new Error('apply did not begin')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const terminal = openTerminal(world)
  await terminal.see('outer> ')
  terminal.type('anchorhold apply many --all; echo code=$?\n')
  await begun()
  terminal.type('\x03')
  await terminal.see('Interrupted: nothing was applied, everything is as it was before.')
  await terminal.see('code=130')
  expect([existsSync(path.join(world.project, 'm')), read(world, 'a.txt')]).toEqual([false, 'one\n'])

  for (const next of [
    ['undo', 'many'],
    ['apply', 'many', '--all'],
  ]) {
    const child = spawn(bin, ['apply', 'many', '--all'], { cwd: world.project, env: world.env, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('close', resolve))
    await begun()
    child.kill('SIGKILL')
    await ended
    const count = readdirSync(path.join(world.project, 'm')).length
    expect(count).toBeLessThan(3000)
    expect(await anchorhold(world, next, { timeoutMilliseconds: 60_000 })).toMatchObject({ code: 0 })
    const whole = next[0] === 'apply'
    expect([existsSync(path.join(world.project, 'm')), read(world, 'a.txt')]).toEqual([whole, whole ? 'one\nmore\n' : 'one\n'])
  }
  expect(readdirSync(path.join(world.project, 'm'))).toHaveLength(3000)
  appendFileSync(path.join(world.project, 'm/7'), 'mine\n')
  expect(await anchorhold(world, ['undo'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/m\/7/) })
}, 240_000)
