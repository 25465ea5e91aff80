// Attacks.md PER rows that are a review's matter (b): in `live` such a file is the agent's work and stays. Pinned, so that neither the behaviour nor
// docs/limitations.md changes without the other.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell } from '../support/anchorhold.ts'
import { gitWorld, plantingOf, policyFile } from '../support/repository.ts'

const rows: Readonly<Record<string, readonly string[]>> = {
  'PER-05': ['.gitattributes'],
  'PER-10': ['.lfsconfig'],
  'PER-17': ['CLAUDE.md', 'AGENTS.md', '.github/copilot-instructions.md'],
  'PER-18': ['.env', '.tool-versions', '.nvmrc', 'flake.nix', 'devbox.json'],
  'PER-19': ['package.json', '.npmrc', '.yarnrc.yml', '.pnpmfile.cjs', 'bunfig.toml'],
  'PER-20': ['node_modules/x/index.js', '.venv/bin/python', 'vendor/x.go', 'target/x', 'dist/x.js'],
  'PER-21': ['eslint.config.js', 'vite.config.ts', 'jest.config.js', 'tsconfig.json'],
  'PER-22': ['conftest.py', 'sitecustomize.py', 'x.pth', 'setup.py', 'tox.ini'],
  'PER-23': ['build.rs', '.cargo/config.toml', 'rust-toolchain.toml'],
  'PER-24': ['go.work', 'tools.go'],
  'PER-25': ['gradlew', 'gradle.properties', '.mvn/jvm.config', 'mvnw'],
  'PER-26': ['Makefile', 'justfile', 'Taskfile.yml', 'CMakeLists.txt', '.bazelrc', 'Rakefile', '.bundle/config'],
  'PER-28': ['compose.yaml', 'Dockerfile', 'Vagrantfile', 'Tiltfile'],
  'PER-29': ['CODEOWNERS', 'renovate.json'],
  'PER-30': ['x.desktop', 'x.lnk', 'desktop.ini', 'autorun.inf', 'x.command'],
}

it('PER-05..30 (b) LIMIT: ordinary files that tools run stay in live, and the limitations say so', async () => {
  const world = gitWorld()
  const files = Object.values(rows).flat()
  const { code, stderr } = await inCell(world, plantingOf(files))
  expect({ code, gone: files.filter((file) => !existsSync(path.join(world.project, file))) }).toEqual({ code: 0, gone: [] })
  expect(stderr).not.toContain('taken out')
  const said = readFileSync(path.resolve(import.meta.dirname, '../../docs/limitations.md'), 'utf8')
  expect(said).toMatch(/Ordinary files that tools run are the agent's to write/)
  for (const name of [
    'package.json',
    'Makefile',
    'build.rs',
    'conftest.py',
    '.gitattributes',
    '.npmrc',
    'CLAUDE.md',
    'node_modules',
    'branches and tags',
  ])
    expect(said).toContain(name)
})

it('PER-05..30 (b) in readonly none of them is written', async () => {
  const world = gitWorld()
  const files = Object.values(rows).flat()
  await inCell(world, plantingOf(files), ['--workspace', 'readonly'])
  expect(files.filter((file) => existsSync(path.join(world.project, file)))).toEqual([])
})

it('PER-05..30 (b) what the user protects by name is kept like the rest', async () => {
  const world = gitWorld()
  const { stderr } = await inCell(world, plantingOf(['Makefile', 'sub/conftest.py', 'kept.txt']), [
    '--policy',
    policyFile(world, { files: { protect: ['Makefile', 'conftest.py'] } }),
  ])
  expect(['Makefile', 'sub/conftest.py', 'kept.txt'].filter((file) => existsSync(path.join(world.project, file)))).toEqual(['kept.txt'])
  expect(stderr).toContain('anchorhold restore')
})

it('PER-36 LIMIT: an editor open on the folder is named among what is not promised', () => {
  const said = readFileSync(path.resolve(import.meta.dirname, '../../docs/security.md'), 'utf8')
  expect(said).toMatch(/editor open on the same folder/)
})
