// Attacks.md FS rows against the copy-on-write view: the project on the host is the witness, to the last byte, inode and time.
import { existsSync, mkdirSync, copyFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedIn, fingerprint, newest, settled } from '../review/world.ts'
import { anchorhold, inCell, makeWorld, start } from '../support/anchorhold.ts'
import { gitWorld, writeFiles } from '../support/repository.ts'

const review = ['--workspace', 'review']

describe('FS-33 nothing that is done in a view reaches the project', () => {
  it('by descriptors and calls that were meant for reading', async () => {
    const world = gitWorld()
    writeFiles(world.project, { target: 'x'.repeat(10_000), 'dir/inner': 'inner\n' })
    copyFileSync(path.join(import.meta.dirname, 'inside/write-through.py'), path.join(world.project, 'try.py'))
    const before = fingerprint(world.project)
    const { stdout, stderr, code } = await anchorhold(world, ['run', ...review, '--', 'python3', 'try.py', 'target'])
    expect(code, stderr).toBe(0)
    // The control: these calls do work, on the view.
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['reopen', 'mmap', 'old descriptor', 'truncate', 'exchange']))
    expect(fingerprint(world.project)).toBe(before)
    const { upper } = await settled(world)
    expect(upper.map((entry) => entry.path)).toContain('target')
    // The overlay's own marks can't be forged from inside: what was set there is an attribute like any other.
    expect(stdout).not.toMatch(/whiteout/)
    expect(upper.filter((entry) => entry.opaque || entry.kind === 'whiteout')).toEqual([])
    expect(upper.find((entry) => entry.path === 'marked')?.attributes ?? []).toEqual(
      stdout.includes('mark file') ? ['user.overlay.whiteout'] : [],
    )
    // Weakened: the same without a view.
    await anchorhold(world, ['run', '--', 'python3', 'try.py', 'target'])
    expect(fingerprint(world.project)).not.toBe(before)
  })

  it('by any sequence of file operations, and going on with it shows the same', async () => {
    const name = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'new', 'd/new')
    const operation = fc.oneof(
      fc
        .tuple(fc.constantFrom('echo x >>', 'rm -rf', 'mkdir -p', 'truncate -s 3', 'chmod 700', 'touch -d @5', 'mkfifo'), name)
        .map(([verb, at]) => `${verb} ${at}`),
      fc
        .tuple(fc.constantFrom('mv', 'ln', 'ln -s', 'cp -r', 'mv -T', 'ln -sfn'), name, name)
        .map(([verb, from, to]) => `${verb} ${from} ${to}`),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 25 }), async (operations) => {
        const world = makeWorld()
        writeFiles(world.project, { a: 'a\n', b: 'b\n', 'd/a': 'da\n', 'd/e/a': 'dea\n', 'd/e/b': 'deb\n' })
        const before = fingerprint(world.project)
        const look = 'find . -exec stat -c "%n %F %a %h %s %Y" {} + | sort; find . -type f -exec sha256sum {} + | sort'
        const script = operations
          .map((line) => `timeout 2 ${line.replace(/^echo x >> (.*)/, 'tee -a $1 <<< x')} `)
          .join('2>/dev/null >/dev/null; ')
        const shown = await anchorhold(world, ['run', ...review, '--', 'bash', '-c', `${script}2>/dev/null >/dev/null; ${look}`])
        expect(fingerprint(world.project)).toBe(before)
        const again = await anchorhold(world, ['run', '--continue', newest(world).proposal.id, '--', 'bash', '-c', look])
        expect(again.stdout).toBe(shown.stdout)
      }),
      { numRuns: 6 },
    )
  }, 120_000)
})

it('FS-34 one proposal is nothing to the cell of another, and a cell sees none of its own keeping', async () => {
  const world = gitWorld()
  await inCell(world, 'echo first-secret > mine', review)
  const { folder } = newest(world)
  const { child, outcome } = start(world, ['run', ...review, '--', 'sh', '-c', 'echo second-secret > mine; echo ready; sleep 2'])
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  const { stdout } = await inCell(
    world,
    `cat mine ${folder}/roots/0/upper/mine 2>/dev/null; ls ${path.dirname(folder)} 2>/dev/null; grep -c ${path.dirname(folder)} /proc/self/mountinfo; grep -r secret . 2>/dev/null; echo end`,
    review,
  )
  expect(stdout).toBe('0\nend\n')
  child.kill('SIGTERM')
  await outcome
})

it('FS-12 FS-20 the view cannot be taken off, mounted again or reached around', async () => {
  const world = gitWorld()
  const before = fingerprint(world.project)
  const { stdout } = await inCell(
    world,
    `umount ${world.project} 2>/dev/null && echo unmounted; mount -o remount,rw / 2>/dev/null && echo remounted; unshare -Urm true 2>/dev/null && echo unshared
     mount -t overlay overlay -o lowerdir=/,upperdir=.,workdir=. /mnt 2>/dev/null && echo mounted; mknod disk b 254 0 2>/dev/null && echo device
     for way in /proc/1/root /proc/1/cwd /proc/self/root; do [ -e $way${world.home}/.local ] && echo $way; done; echo end`,
    review,
  )
  expect(stdout).toBe('end\n')
  expect(fingerprint(world.project)).toBe(before)
})

it('FS-22 locked, deep and long trees are kept, counted and gone on with', async () => {
  const world = gitWorld()
  const deep = Array.from({ length: 200 }, () => 'd').join('/')
  const long = 'n'.repeat(255)
  const { code, stderr } = await inCell(
    world,
    `mkdir -p ${deep} && echo deep > ${deep}/f; echo l > ${long}; mkdir locked; echo k > locked/k; chmod 0 locked; printf x > "$(printf 'odd\\377')"`,
    review,
  )
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const all = changedIn(await settled(world))
  expect(all).toEqual(expect.arrayContaining([`${deep}/f`, long, 'locked/k', 'odd\udcff']))
  const again = await anchorhold(world, [
    'run',
    '--continue',
    newest(world).proposal.id,
    '--',
    'sh',
    '-c',
    `cat ${deep}/f; chmod 700 locked; cat locked/k; rm -r d`,
  ])
  expect(again.stdout).toBe('deep\nk\n')
})

it('FS-24 FS-05 links in the project lead a view nowhere on the host', async () => {
  const world = gitWorld()
  const outside = path.join(world.home, 'outside')
  mkdirSync(outside)
  writeFileSync(path.join(outside, 'canary'), 'canary\n')
  const { stdout } = await inCell(
    world,
    `ln -s ${outside} out; ln -s ${outside}/canary file; cat out/canary file 2>/dev/null; echo x 2>/dev/null > out/planted; echo x 2>/dev/null > file; rm a.txt; ln -s ${outside}/canary a.txt; echo end`,
    review,
  )
  expect(stdout).toBe('end\n')
  await settled(world)
  expect(existsSync(path.join(outside, 'planted'))).toBe(false)
  expect(fingerprint(outside)).toBe(fingerprint(outside))
})
