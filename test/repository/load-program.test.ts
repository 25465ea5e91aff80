// Compiled code is kept between starts, beside Node's own, and whatever lies in its place, a start works.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

function scratch() {
  const folder = mkdtempSync(path.join(tmpdir(), 'anchorhold-kept-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const start = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'dist/cli.cjs'), ...args], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', HOME: folder, NODE_COMPILE_CACHE: path.join(folder, 'cache') },
    })
    return { status, stdout, stderr }
  }
  const kept = () => readdirSync(path.join(folder, 'cache')).filter((name) => /-[0-9a-f]{16}$/.test(name))
  return { cache: path.join(folder, 'cache'), start, kept }
}

test('the first starts of a command keep what V8 compiled, each command for itself; later ones write nothing', () => {
  const { cache, start, kept } = scratch()
  const first = start('completion', 'bash')
  expect(first).toMatchObject({ status: 0, stderr: '' })
  const [name = ''] = kept()
  expect(name).toMatch(/^completion-/)
  const file = path.join(cache, name)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const counts = [readFileSync(file).at(-1)]
  for (let i = 0; i < 3; i++) {
    expect(start('completion', 'bash')).toEqual(first)
    counts.push(readFileSync(file).at(-1))
  }
  expect(counts).toEqual([1, 2, 3, 4])
  const { ino } = statSync(file)
  expect(start('completion', 'bash')).toEqual(first)
  expect(statSync(file).ino).toBe(ino)
  start('../../x')
  start('--version')
  expect(kept().toSorted()).toEqual([name, expect.stringMatching(/^other-/)])
})

test('code of another program, cut off, damaged at its head or no code at all is not run: it is compiled and kept anew', () => {
  const { cache, start, kept } = scratch()
  const version = start('--version')
  expect(version).toMatchObject({ status: 0, stderr: '' })
  const file = path.join(cache, kept()[0] ?? '')
  const whole = readFileSync(file)
  writeFileSync(`${file.slice(0, -16)}${'0'.repeat(16)}`, whole)
  for (const bad of ['', 'x', whole.subarray(0, -100), Buffer.concat([Buffer.alloc(64), whole.subarray(64)])]) {
    writeFileSync(file, bad)
    expect(start('--version')).toEqual(version)
    expect(readFileSync(file).at(-1)).toBe(1)
  }
  expect(kept()).toHaveLength(1)
})

test('without a folder, or one that cannot be made, a start works and leaves nothing', () => {
  const { cache } = scratch()
  const start = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [path.join(root, 'dist/cli.cjs'), '--version'], { encoding: 'utf8', env })
  expect(start({ PATH: '/usr/bin:/bin', HOME: path.dirname(cache) })).toMatchObject({ status: 0, stderr: '' })
  writeFileSync(cache, '')
  expect(start({ PATH: '/usr/bin:/bin', HOME: path.dirname(cache), NODE_COMPILE_CACHE: cache })).toMatchObject({ status: 0, stderr: '' })
  expect(readdirSync(path.dirname(cache))).toEqual(['cache'])
})
