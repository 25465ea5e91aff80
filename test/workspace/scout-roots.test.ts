// Several roots, each with its index: what one root lost must not disturb the tree that another one's index brings back.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startScout } from '../../src/workspace/scout.ts'
import { makeTables } from '../../src/workspace/tables.ts'

const { patterns } = makeTables({ mount: [], hide: [], protect: [], unprotect: [] }, 'all')

test('a first root that shrank leaves the second root’s index whole', { timeout: 20_000 }, async () => {
  const top = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-roots-')))
  onTestFinished(() => rmSync(top, { recursive: true, force: true }))
  const roots = ['one', 'two'].map((name) => ({ path: path.join(top, name), index: path.join(top, `index-${name}`) }))
  for (const { path: root } of roots) {
    for (let folder = 0; folder < 40; folder++) {
      mkdirSync(path.join(root, `d${folder}`, 'deep', 'er', '.vscode'), { recursive: true })
      writeFileSync(path.join(root, `d${folder}`, 'deep', 'er', '.vscode', 'tasks.json'), '{}')
    }
  }
  const scan = async () => {
    const scout = startScout({ roots, patterns, mode: 'commands' })
    const found = (await scout.first).map((match) => `${match.root} ${match.path}`)
    await scout[Symbol.asyncDispose]()
    return found.toSorted()
  }
  const before = await scan()
  expect(before.filter((line) => line.startsWith('1 '))).toHaveLength(before.length / 2)
  // Folders younger than the index's grain are read again anyway: the index must be believed for the fault to show.
  await new Promise((resolve) => setTimeout(resolve, 120))
  await scan()
  for (let folder = 0; folder < 30; folder++) rmSync(path.join(top, 'one', `d${folder}`), { recursive: true })
  const after = await scan()
  expect(after.filter((line) => line.startsWith('1 '))).toEqual(before.filter((line) => line.startsWith('1 ')))
  expect(await scan()).toEqual(after)
})
