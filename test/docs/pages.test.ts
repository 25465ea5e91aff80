// Pages are current with the code they are made from, links lead somewhere, and every promise names tests that exist.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { renewed } from '../../scripts/docs.ts'
import { linksOf, pages, root, textOf } from './pages.ts'

test('generated parts are current (npm run docs)', () => {
  expect(
    renewed()
      .filter(({ changed }) => changed)
      .map(({ file }) => path.basename(file)),
  ).toEqual([])
})

test('a stale part would be noticed', () => {
  expect(renewed(path.join(import.meta.dirname, 'fixtures')).map(({ changed }) => changed)).toEqual([true])
})

test.each(pages)('the links of %s lead to files and headings of this repository', (page) => {
  const broken = linksOf(page).filter(({ target, anchor }) => !leads(target, anchor))
  expect(broken).toEqual([])
})

function leads(target: string, anchor: string): boolean {
  if (!existsSync(path.join(root, target))) return false
  if (anchor === '') return true
  const headings = [...textOf(target).matchAll(/^#+ (.+)$/gm)].map((match) => slug(match[1] ?? ''))
  return headings.includes(anchor)
}

/** As forges make anchors of headings. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}

test('each promise P1 to P12 names at least one test file', () => {
  const rows = textOf('docs/security.md')
    .split('\n')
    .filter((line) => /^\| P\d+ \| \*\*/.test(line))
  expect(rows.map((row) => /P\d+/.exec(row)?.[0])).toEqual(Array.from({ length: 12 }, (_, n) => `P${n + 1}`))
  for (const row of rows) {
    const tests = [...row.matchAll(/\(\.\.\/(test\/[^)]+\.test\.ts)\)/g)].map((match) => match[1] ?? '')
    expect(tests.length, row).toBeGreaterThan(0)
    for (const file of tests) expect(existsSync(path.join(root, file)), file).toBe(true)
  }
})

test('each promise has a probe', () => {
  const part = /<!-- generated: promises -->([\s\S]*?)<!-- end -->/.exec(textOf('docs/security.md'))?.[1] ?? ''
  const rows = [...part.matchAll(/^\| (P\d+[ab]?) \| (.+) \|$/gm)]
  expect(rows.map(([, promise]) => promise)).toEqual(
    [...textOf('docs/security.md').matchAll(/^\| (P\d+[ab]?) \| \*\*/gm)].map(([, promise]) => promise),
  )
  expect(rows.filter(([, , probes]) => !probes?.startsWith('`')).map(([, promise]) => promise)).toEqual([])
})

test('each dependency has its line', () => {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >
  const text = textOf('docs/dependencies.md')
  const missing = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)].filter(
    (name) => !name.startsWith('@types/') && !text.includes(`\`${name}\``),
  )
  expect(missing).toEqual([])
})

test('the README stays within 150 lines and shows the demo', () => {
  expect(textOf('README.md').split('\n').length).toBeLessThanOrEqual(151)
  expect(textOf('README.md')).toContain('docs/demo.svg')
})
