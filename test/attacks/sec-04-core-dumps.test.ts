// SEC-04: a program that dies inside leaves no image of its memory: not in the project, not in /tmp, not with the host's handler.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld } from '../support/anchorhold.ts'

it('SEC-04 SIGABRT, SIGSEGV and SIGQUIT leave no file; the limit cannot be lifted; the pattern of the host cannot be written', async () => {
  const world = makeWorld()
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  writeFileSync(path.join(world.project, 'control'), '')
  const { stdout } = await inCell(
    world,
    `(ulimit -c unlimited) 2>/dev/null && echo LIFTED; ulimit -c; ulimit -H -c
    for s in ABRT SEGV QUIT; do sh -c "kill -$s \\$\\$" 2>/dev/null; echo $?; done; echo '|/x' > /proc/sys/kernel/core_pattern; find . /tmp "$HOME" /var/tmp -name 'core*' -size +0; ls -A`,
  )
  expect(stdout).toBe('0\n0\n134\n139\n131\ncontrol\n')
  expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(pattern)
  expect(readdirSync(world.project)).toEqual(['control'])
})
