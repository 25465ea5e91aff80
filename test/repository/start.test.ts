// What a plain start loads: its time is a promise, and one import in the wrong place doubles it. Counted, since times are never tests.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { makeWorld } from '../support/anchorhold.ts'

const root = path.join(import.meta.dirname, '../..')
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'anchorhold-start-'))
})
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

it('the package works with its Node alone: every other dependency is in its bundle', () => {
  const place = mkdtempSync(path.join(os.tmpdir(), 'anchorhold-packed-'))
  onTestFinished(() => rmSync(place, { recursive: true, force: true }))
  const pack = spawnSync('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', place], { cwd: root, encoding: 'utf8' })
  expect(pack.status, pack.stderr).toBe(0)
  const [tarball = ''] = readdirSync(place)
  expect(spawnSync('tar', ['xzf', tarball], { cwd: place }).status).toBe(0)
  const manifest = JSON.parse(readFileSync(path.join(place, 'package/package.json'), 'utf8')) as { readonly dependencies: object }
  expect(Object.keys(manifest.dependencies)).toEqual(['node'])
  mkdirSync(path.join(place, 'package/node_modules'))
  symlinkSync(path.join(root, 'node_modules/node'), path.join(place, 'package/node_modules/node'))
  const world = makeWorld()
  writeFileSync(path.join(world.project, 'anchorhold.yaml'), 'network: { deny: [example.org] }\n')
  writeFileSync(path.join(world.project, 'found.txt'), 'nothing\n')
  const lines = [
    ['--version'],
    ['run', '--quiet', '--', 'false'],
    ['policy', 'check', 'anchorhold.yaml'],
    ['explain', 'host', 'example.org'],
    ['secret', 'scan', '.'],
    ['cost'],
  ]
  const outcome = (base: string, args: readonly string[]) => {
    const { status, stderr } = spawnSync(path.join(base, 'bin/anchorhold'), args, { cwd: world.project, env: world.env, encoding: 'utf8' })
    return { args, status, stderr }
  }
  for (const args of lines) expect(outcome(path.join(place, 'package'), args)).toEqual(outcome(root, args))
  expect(outcome(path.join(place, 'package'), ['run', '--quiet', '--', 'true'])).toMatchObject({ status: 0, stderr: '' })
}, 60_000)
