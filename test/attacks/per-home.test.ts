// Attacks.md PER-27: a project that is a repository of dotfiles, linked into the home under other names than the table has.
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inCell } from '../support/anchorhold.ts'
import { git, gitWorld, policyFile, writeFiles } from '../support/repository.ts'

const files = ['bash/rc', 'nvim/init.lua', 'git/config-of-mine', 'free.txt']

function dotfiles() {
  const world = gitWorld()
  writeFiles(world.project, Object.fromEntries(files.map((file) => [file, 'original\n'])))
  mkdirSync(path.join(world.home, '.config'))
  symlinkSync(path.join(world.project, 'bash/rc'), path.join(world.home, '.bashrc'))
  symlinkSync('work/project/git/config-of-mine', path.join(world.home, '.gitconfig'))
  symlinkSync('../work/project/nvim', path.join(world.home, '.config/nvim'))
  return world
}

const attack = `{ for f in ${files.join(' ')}; do echo evil > $f; rm -f $f; mkdir -p $(dirname $f); echo evil > $f; done; mv bash b2; mkdir -p bash; echo evil > bash/rc; } 2>/dev/null; sleep 0.2`

it('PER-27 what the home links to keeps its bytes, and the start says so; other files are the agent’s', async () => {
  const world = dotfiles()
  const { stderr } = await inCell(world, attack)
  expect(stderr).toMatch(/home leads into this project/)
  const read = (file: string) => readFileSync(path.join(world.project, file), 'utf8')
  expect([read('nvim/init.lua'), read('git/config-of-mine'), read('b2/rc'), read('free.txt')]).toEqual([
    'original\n',
    'original\n',
    'original\n',
    'evil\n',
  ])
  // The link of the home leads to nothing rather than to what was planted.
  expect(() => readFileSync(path.join(world.home, '.bashrc'))).toThrow(/ENOENT/)
})

it('PER-27 the user can lift it by name: the check can go red', async () => {
  const world = dotfiles()
  await inCell(world, 'echo changed > bash/rc', ['--policy', policyFile(world, { files: { unprotect: ['bash/rc'] } })])
  expect(readFileSync(path.join(world.home, '.bashrc'), 'utf8')).toBe('changed\n')
})

it('PER-27 PER-01 one that the host saves anew by a rename is protected again, as is a hook folder that it replaces', async () => {
  const world = dotfiles()
  writeFiles(world.project, { 'tools/hooks/pre-commit': 'original\n' })
  git(world.project, 'config', 'core.hooksPath', 'tools/hooks')
  const cell = inCell(
    world,
    'touch up; while [ ! -e go ]; do sleep 0.02; done; echo evil > bash/rc; echo evil > tools/hooks/pre-commit; echo ok > control',
  )
  while (!existsSync(path.join(world.project, 'up'))) await sleep(10)
  writeFileSync(path.join(world.home, 'new'), 'saved by the host\n')
  renameSync(path.join(world.home, 'new'), path.join(world.project, 'bash/rc'))
  renameSync(path.join(world.project, 'tools/hooks'), path.join(world.project, 'tools/old'))
  writeFiles(world.project, { 'tools/hooks/pre-commit': 'saved by the host\n' })
  await sleep(400)
  writeFileSync(path.join(world.project, 'go'), '')
  await cell
  const read = (file: string) => readFileSync(path.join(world.project, file), 'utf8')
  expect([read('bash/rc'), read('tools/hooks/pre-commit'), read('control')]).toEqual(['saved by the host\n', 'saved by the host\n', 'ok\n'])
})
