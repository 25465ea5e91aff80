// docs/attacks.md says which tests take up an attack: each of them names its number.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { loadCatalogue } from '../../src/prove/catalogue.ts'

const docs = path.resolve(import.meta.dirname, '../../docs')
const page = readFileSync(path.join(docs, 'attacks.md'), 'utf8')

/** Every number that a text names, in lists and ranges too: `FS-01, 02`, `PRX-04 to 12`, `PER-05..30`. */
function numbersIn(text: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [, family, first, rest] of text.matchAll(/\b(FS|NET|PRX|SEC|KRN|RES|TRM|PER|CFG)-(\d+)((?:(?:,| and|–|-|\.\.| to) ?\d+)*)/g)) {
    let last = Number(first)
    found.add(`${family}-${last}`)
    for (const [, sign, number] of (rest ?? '').matchAll(/(,| and|–|-|\.\.| to) ?(\d+)/g)) {
      const next = Number(number)
      for (let one = sign === ',' || sign === ' and' ? next : last; one <= next; one += 1) found.add(`${family}-${one}`)
      last = next
    }
  }
  return found
}

it('names for every attack a test or a limitation that names the attack', () => {
  const rows = [...page.matchAll(/^\| ([A-Z]+)-(\d+) \|.*\| (.*) \|$/gm)]
  expect(rows.length).toBeGreaterThan(200)
  const texts = new Map<string, ReadonlySet<string>>()
  const numbersOf = (file: string): ReadonlySet<string> => {
    const known = texts.get(file) ?? numbersIn(readFileSync(path.join(docs, file), 'utf8'))
    texts.set(file, known)
    return known
  }
  const empty = rows.filter(([, family, number, cell]) => {
    const links = [...(cell ?? '').matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link ?? '')
    return links.length === 0 || links.some((link) => link.endsWith('.ts') && !numbersOf(link).has(`${family}-${Number(number)}`))
  })
  expect(empty.map(([, family, number]) => `${family}-${number}`)).toEqual([])
})

it('every attack has a probe, or a reason why it has none, and never both', () => {
  const rows = [...page.matchAll(/^\| ([A-Z]+-\d+) \| .* \| .*\]\(.* \|$/gm)].map(([, row]) => row ?? '')
  expect(rows).toHaveLength(256)
  const probed = new Set(loadCatalogue().flatMap(({ source }) => source))
  const without = new Set(/## What it does not try[\s\S]*/.exec(page)?.[0].match(/\b[A-Z]+-\d+\b/g))
  expect(without.size).toBeGreaterThan(0)
  expect(rows.filter((row) => probed.has(row) === without.has(row))).toEqual([])
  expect([...probed, ...without].filter((row) => !rows.includes(row))).toEqual([])
})
