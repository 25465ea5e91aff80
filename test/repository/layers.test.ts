// The layer check holds for src/, and is shown to see each kind of violation.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { heavyStarts, violations } from '../../scripts/layers.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
})

function source(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'anchorhold-layers-'))
  made.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  return folder
}

test('src/ imports downward only', () => {
  expect(violations(path.join(import.meta.dirname, '../../src'))).toEqual([])
})

test('downward, within a folder, and one way between neighbours pass', () => {
  const folder = source({
    'cli.ts': "import { a } from './commands/a.ts'",
    'commands/a.ts': "import { b } from '../run/b.ts'\nimport { s } from '../standin/s.ts'",
    'run/b.ts': "import type { C } from '../model/c.ts'\nimport { d } from './d.ts'",
    'policy/e.ts': "import { Failure } from '../errors/failure.ts'",
  })
  expect(violations(folder)).toEqual([])
})

test.each([
  ['a static import upward', { 'model/a.ts': "import { b } from '../policy/b.ts'" }, 'policy/ lies above model/'],
  ['a type import upward', { 'engines/a.ts': "import type { B } from '../gateway/b.ts'" }, 'gateway/ lies above engines/'],
  ['a dynamic import upward', { 'session/a.ts': "const b = await import('../report/b.ts')" }, 'report/ lies above session/'],
  ['a re-export upward', { 'run/a.ts': "export { b } from '../commands/b.ts'" }, 'commands/ lies above run/'],
  ['an import over two lines', { 'host/a.ts': "import {\n  b,\n} from '../plan/b.ts'" }, 'plan/ lies above host/'],
  ['a side-effect import upward', { 'host/a.ts': "import '../run/b.ts'" }, 'run/ lies above host/'],
  ['the door from below', { 'run/a.ts': "import { b } from '../index.ts'" }, 'src/ lies above run/'],
  ['the stand-in from the product', { 'index.ts': "import { b } from './standin/b.ts'" }, 'standin/ is for commands and tests only'],
  ['out of src', { 'run/a.ts': "import { b } from '../../scripts/b.ts'" }, 'outside src/'],
  ['a folder without a layer', { 'misc/a.ts': "import { b } from '../model/b.ts'" }, 'misc/ has no layer'],
  [
    'a circle of neighbours',
    { 'policy/a.ts': "import { b } from '../host/b.ts'", 'host/b.ts': "import { a } from '../policy/a.ts'" },
    'as well',
  ],
])('%s is found', (_what, files, why) => {
  const found = violations(source(files))
  expect(found.length).toBeGreaterThan(0)
  expect(found[0]?.why).toContain(why)
})

test('a start loads none of the packages that few runs need', () => {
  expect(heavyStarts(path.join(import.meta.dirname, '../../src'))).toEqual([])
})

test('a heavy start is found with its chain; types and late imports pass', () => {
  const folder = source({
    'run/a.ts': "import type { z } from 'zod'\nimport { b } from './b.ts'\nexport const late = () => import('yaml')",
    'run/b.ts': "import {\n  z,\n} from 'zod'\n",
  })
  expect(heavyStarts(folder, ['run/a.ts'])).toEqual(['zod < run/b.ts < run/a.ts'])
})
