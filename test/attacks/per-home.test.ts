// Attacks.md PER-27: a project that is a repository of dotfiles, linked into the home under other names than the table has.
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell } from '../support/anchorhold.ts'
import { gitWorld, policyFile, writeFiles } from '../support/repository.ts'

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
