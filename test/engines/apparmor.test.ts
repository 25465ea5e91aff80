// The profile that scripts/apparmor.sh installs and the one that `doctor` prints are one and the same.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { appArmorProfile, appArmorProfilePath } from '../../src/engines/bubblewrap/apparmor.ts'

const script = readFileSync(path.join(import.meta.dirname, '../../scripts/apparmor.sh'), 'utf8')

test('one text, one place', () => {
  const cell = '/srv/anchor hold/dist/native/anchorhold-cell'
  const installed = /<<END\n([^]*?)END\n/.exec(script)?.[1]?.replaceAll('$cell', cell)
  expect(installed?.replaceAll(/\n+/g, '\n')).toBe(appArmorProfile(cell).replaceAll(/\n+/g, '\n'))
  expect(script).toContain(`profile=${appArmorProfilePath}\n`)
})

test('no profile of ours is for a program of the system, whose own it would contradict', () => {
  const programs = [...appArmorProfile('/x/anchorhold-cell').matchAll(/^profile \S+ "(.*)"/gm)].map(([, program]) => program)
  expect(programs).toEqual(['/x/anchorhold-cell'])
})
