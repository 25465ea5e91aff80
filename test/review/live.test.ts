// diff and undo of live runs, as a user types them.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { git, gitWorld, writeFiles } from '../support/repository.ts'

const later = 'sleep 1;'

test('diff shows what a live run changed, with risks; undo takes it back and leaves what the user changed since', async () => {
  const world = gitWorld()
  const read = (name: string) => readFileSync(path.join(world.project, name), 'utf8')
  writeFiles(world.project, { 'run.sh': '#!/bin/sh\n', 'gone.txt': 'gone\n', 'mine.txt': 'mine\n' })
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'second')
  writeFiles(world.project, { 'loose.txt': 'loose\n' })
  await new Promise((resolve) => setTimeout(resolve, 60))
  await inCell(
    world,
    `${later} echo agent >> a.txt; echo agent >> loose.txt; echo agent >> mine.txt; rm gone.txt; chmod +x run.sh; mkdir -p sub; echo 'all:' > sub/Makefile`,
    ['--name', 'live'],
  )
  const names = await anchorhold(world, ['diff', '--name-only'])
  expect(names.stdout.trim().split('\n').toSorted()).toEqual(['a.txt', 'gone.txt', 'loose.txt', 'mine.txt', 'run.sh', 'sub/Makefile'])
  const { stdout } = await anchorhold(world, ['diff', 'live'])
  expect(stdout).toMatch(/in the project already; anchorhold undo/)
  expect(stdout).toMatch(/-gone/)
  expect(stdout).toMatch(/\+agent/)
  expect(stdout).toMatch(/Not remembered: .*gitignore/)
  expect(stdout).toMatch(/need your eyes|needs your eyes/)
  await new Promise((resolve) => setTimeout(resolve, 60))
  writeFileSync(path.join(world.project, 'mine.txt'), 'user\n')
  const undone = await anchorhold(world, ['undo', 'live'])
  expect(undone.code).toBe(1)
  expect(undone.stdout).toMatch(/left mine.txt: it was changed after the run/)
  expect([read('a.txt'), read('loose.txt'), read('gone.txt'), read('mine.txt')]).toEqual(['one\n', 'loose\n', 'gone\n', 'user\n'])
  expect(statSync(path.join(world.project, 'run.sh')).mode & 0o111).toBe(0)
  expect(existsSync(path.join(world.project, 'sub/Makefile'))).toBe(false)
  expect(git(world.project, 'status', '--short')).toBe(' M mine.txt\n?? loose.txt\n')
  await anchorhold(world, ['undo', 'live', 'mine.txt'])
  expect(read('mine.txt')).toBe('mine\n')
  expect((await anchorhold(world, ['undo', 'live'])).stderr).toMatch(/Nothing was applied by/)
})

test('a run that changed nothing has nothing to show, and links out of the project are not followed', async () => {
  const world = gitWorld()
  writeFiles(world.home, { 'outside/canary': 'canary\n' })
  await new Promise((resolve) => setTimeout(resolve, 60))
  await inCell(world, `${later} rm a.txt; ln -s ${world.home}/outside/canary a.txt`)
  expect((await anchorhold(world, ['undo'])).stdout).toMatch(/taken back a.txt/)
  expect(readFileSync(path.join(world.project, 'a.txt'), 'utf8')).toBe('one\n')
  expect(readFileSync(path.join(world.home, 'outside/canary'), 'utf8')).toBe('canary\n')
  await new Promise((resolve) => setTimeout(resolve, 1100)) // another second: another id
  await inCell(world, 'sleep 1')
  expect((await anchorhold(world, ['diff', '--name-only'])).stdout).toBe('')
})

test('without any run there is nothing to take back', async () => {
  expect((await anchorhold(makeWorld(), ['undo'])).code).toBe(125)
})
