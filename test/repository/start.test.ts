// What a plain start loads: its time is a promise, and one import in the wrong place doubles it. Counted, since times are never tests.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { makeWorld } from '../support/anchorhold.ts'

const root = path.join(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(os.tmpdir(), 'anchorhold-start-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Names of the built-in modules and of our own chunks that a command line loads, in order. */
function loadedBy(...args: readonly string[]): {
  readonly code: number | null
  readonly modules: readonly string[]
  readonly chunks: readonly string[]
} {
  const out = path.join(folder, 'out.json')
  const probe = path.join(folder, 'probe.cjs')
  writeFileSync(
    probe,
    `const before = new Set(process.moduleLoadList)
process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(out)}, JSON.stringify({
  modules: process.moduleLoadList.filter((name) => !before.has(name)).map((name) => name.replace(/^.* /, '')),
  chunks: Object.keys(require.cache),
})))`,
  )
  const world = makeWorld()
  const { status } = spawnSync(process.execPath, ['--require', probe, path.join(root, 'dist/cli.cjs'), ...args], {
    cwd: world.project,
    env: world.env,
  })
  const { modules, chunks } = JSON.parse(readFileSync(out, 'utf8')) as {
    readonly modules: readonly string[]
    readonly chunks: readonly string[]
  }
  const own = chunks.filter((file) => file.includes('/dist/')).map((file) => path.basename(file).replace(/(-[\w-]{8})?\.cjs$/, ''))
  return { code: status, modules, chunks: own }
}

const dear = [
  'fs/promises',
  'http',
  'http2',
  'https',
  'readline',
  'tls',
  'zlib',
  'perf_hooks',
  'internal/perf/performance',
  'worker_threads',
  'internal/deps/undici/undici',
]

it('`run -- true` loads one program of ours and none of the dear built-in modules; node:crypto comes after the engine was given its plan', () => {
  const { code, modules, chunks } = loadedBy('run', '--', 'true')
  expect(code).toBe(0)
  expect(chunks).toEqual(['cli', 'program'])
  expect(modules.filter((name) => dear.includes(name))).toEqual([])
  expect(modules.indexOf('crypto')).toBeGreaterThan(modules.indexOf('internal/child_process/serialization'))
})

it('the scanner for secrets is loaded where a run wrote something, after it', () => {
  const scanner = (chunks: readonly string[]) => chunks.filter((name) => name.includes('scan'))
  expect(scanner(loadedBy('run', '--', 'true').chunks)).toEqual([])
  const { code, chunks } = loadedBy('run', '--', 'sh', '-c', 'echo hello > written.txt')
  expect([code, scanner(chunks)]).toEqual([0, expect.arrayContaining(['scan-written'])])
})

it('another command loads its own file, and the probe sees what is dear', () => {
  const { chunks, modules } = loadedBy('doctor')
  expect(chunks).toContain('doctor')
  expect(modules.filter((name) => dear.includes(name))).not.toEqual([])
})

it('the package brings what bin/anchorhold starts', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], { cwd: root, encoding: 'utf8' })
  const [packed] = JSON.parse(stdout) as readonly [{ readonly files: readonly { readonly path: string }[] }]
  const files = packed.files.map((file) => file.path)
  const needed = [
    'bin/anchorhold',
    'dist/cli.cjs',
    'dist/program.cjs',
    'dist/index.js',
    'dist/index.d.ts',
    'native/cell.c',
    'scripts/build.sh',
  ]
  expect(needed.filter((file) => !files.includes(file))).toEqual([])
})
