// Reviewing in a terminal: what stops a question in the middle, the pager with its colours, and a window that changes its size.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell } from '../support/anchorhold.ts'
import { gitWorld } from '../support/repository.ts'
import { openTerminal } from '../support/terminal.ts'

it('Ctrl-C while asked, and the end of input: nothing is applied, it is said, and the next command goes on as if nothing had been', async () => {
  const world = gitWorld()
  await inCell(world, 'echo more >> a.txt; echo n > new.txt', ['--workspace', 'review'])
  const terminal = openTerminal({ ...world, env: { ...world.env, PAGER: 'cat' } })
  await terminal.see('outer> ')
  const read = (): string => readFileSync(path.join(world.project, 'a.txt'), 'utf8')
  terminal.type('anchorhold apply\n')
  await terminal.see('Apply a.txt?')
  terminal.type('y\n')
  await terminal.see('Apply new.txt?')
  terminal.type('\x03')
  await terminal.see('Nothing was applied.')
  await terminal.see('outer> ')
  expect(read()).toBe('one\n')
  terminal.type('anchorhold apply; echo code=$?\n')
  await terminal.see('Apply a.txt?')
  terminal.type('\x04')
  await terminal.see('code=1')
  expect(read()).toBe('one\n')
  terminal.type('anchorhold apply\n')
  await terminal.see('Apply a.txt?')
  terminal.type('a\n')
  await terminal.see('2 changes applied')
  expect(read()).toBe('one\nmore\n')
}, 60_000)

it('the pager gets colours on a terminal, and none elsewhere', async () => {
  const world = gitWorld()
  await inCell(world, 'echo more >> a.txt', ['--workspace', 'review'])
  const terminal = openTerminal({ ...world, env: { ...world.env, PAGER: 'sed s/^/paged:/', TERM: 'xterm-256color' } })
  await terminal.see('outer> ')
  terminal.type('anchorhold diff\n')
  expect(await terminal.see('1 file changed')).toContain('paged:\x1b[32m+more\x1b[39m')
  terminal.type('anchorhold diff | cat -v\n')
  expect(await terminal.see('1 file changed')).toMatch(/\n\+more\r?\n/)
}, 60_000)
