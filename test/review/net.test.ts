// The net below live runs: what was there before is known afterwards, and nothing of the project's own git set-up is in force while it is noted.
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readRemembered, type Remembered } from '../../src/review/remembered.ts'
import { findSession } from '../../src/session/list.ts'
import { inCell, makeWorld, type World } from '../support/anchorhold.ts'
import { git, gitWorld, writeFiles } from '../support/repository.ts'
import { fingerprint, stateOf } from './world.ts'

async function remembered(world: World): Promise<Remembered> {
  const found = await readRemembered(findSession(stateOf(world)).folder)
  if (found === undefined) throw new Error('nothing is remembered')
  return found
}

function told({ entries, folder }: Remembered): readonly string[] {
  return entries.map(({ path: place, state, facts, content, now }) => {
    const was = content !== undefined ? JSON.stringify(readFileSync(path.join(folder, content), 'utf8')) : (facts?.target ?? '')
    return `${place}: ${state} ${was}${facts?.type === 'f' ? ` ${facts.mode.toString(8)}` : ''} → ${now?.type ?? 'gone'}`.replace(
      / +/g,
      ' ',
    )
  })
}

/** Long enough for the net, which is laid while the command runs. */
const later = 'sleep 1;'

test('tracked, changed, unknown, executable and linked files are known as they were', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'b.txt': 'b\n', 'run.sh': 'run\n', 'gone.txt': 'gone\n', '.gitignore': 'out/\n', 'c d\n.txt': 'odd\n' })
  chmodSync(path.join(world.project, 'run.sh'), 0o755)
  symlinkSync('b.txt', path.join(world.project, 'link'))
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'second')
  writeFiles(world.project, {
    'b.txt': 'changed by the user\n',
    'unknown.txt': 'never added\n',
    'same.txt': 'same\n',
    'out/x': 'ignored\n',
  })
  await new Promise((resolve) => setTimeout(resolve, 60)) // older than the run
  await inCell(
    world,
    `${later} for f in a.txt b.txt run.sh unknown.txt 'c d
.txt' out/x; do echo agent >> "$f"; done; rm gone.txt link; echo n > new.txt; ln -s a.txt link`,
  )
  const memory = await remembered(world)
  expect(told(memory).toSorted()).toEqual(
    [
      'a.txt: same "one\\n" 644 → f',
      'b.txt: same "changed by the user\\n" 644 → f',
      'c d\n.txt: same "odd\\n" 644 → f',
      'gone.txt: same "gone\\n" 644 → gone',
      'link: same b.txt → l',
      'new.txt: absent → f',
      'run.sh: same "run\\n" 755 → f',
      'unknown.txt: same "never added\\n" 644 → f',
    ].toSorted(),
  )
  expect(memory.memory.how).toHaveLength(2)
  expect(memory.memory.gaps).toEqual(['files that .gitignore names', "git's own record: commits, branches, the index"])
  writeFileSync(path.join(world.project, 'a.txt'), 'user\n')
  expect((await remembered(world)).entries.filter((entry) => entry.later).map((entry) => entry.path)).toEqual(
    expect.arrayContaining(['a.txt']),
  )
})

test('no hook, filter, attribute or setting of the project is in force, and nothing of the project is written', async () => {
  const world = gitWorld()
  const canary = path.join(world.home, 'canary')
  writeFiles(world.project, { '.gitattributes': '* filter=x diff=x text=auto\n', 'crlf.txt': 'one\r\ntwo\r\n' })
  for (const [name, value] of [
    ['core.fsmonitor', `touch ${canary}`],
    ['filter.x.clean', `touch ${canary}; cat`],
    ['diff.x.textconv', `touch ${canary}; cat`],
    ['core.hooksPath', 'hooks'],
  ] as const)
    git(world.project, 'config', name, value)
  writeFiles(world.project, { 'hooks/post-index-change': `#!/bin/sh\ntouch ${canary}\n` })
  chmodSync(path.join(world.project, 'hooks/post-index-change'), 0o755)
  await new Promise((resolve) => setTimeout(resolve, 60))
  const before = fingerprint(world.project)
  await inCell(world, 'sleep 1')
  expect(fingerprint(world.project)).toBe(before)
  expect((await remembered(world)).entries).toEqual([])
  await inCell(world, `${later} echo more >> crlf.txt`)
  expect(told(await remembered(world))).toEqual(['crlf.txt: same "one\\r\\ntwo\\r\\n" 644 → f'])
  expect(existsSync(canary)).toBe(false)
  git(world.project, 'status') // as the host's git would
  expect(existsSync(canary)).toBe(true)
})

test('what is no repository is copied as far as it is small; the rest is said, and never taken for new', async () => {
  const world = makeWorld()
  writeFiles(world.project, { 'notes.txt': 'notes\n', 'big.bin': 'x'.repeat(5 * 2 ** 20) })
  await new Promise((resolve) => setTimeout(resolve, 60))
  await inCell(world, `${later} echo more >> notes.txt; echo more > fresh; mv fresh big.bin; echo n > new`)
  const memory = await remembered(world)
  expect(told(memory).toSorted()).toEqual(['big.bin: lost → f', 'new: absent → f', 'notes.txt: same "notes\\n" 644 → f'])
  expect(memory.memory.gaps[0]).toMatch(/^1 files .* too large to copy/)
})
