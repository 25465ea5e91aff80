import { expect, test } from 'vitest'
import { claude, claudeDistribution, findClaude } from '../../src/agents/claude.ts'
import { locateAll } from '../../src/agents/locate.ts'
import { machine, type Machine } from './fixtures.ts'

const binds = (from: string) => [{ kind: 'bind', from, to: from, mode: 'ro' }]
const search = (host: Machine, pathEntries: readonly string[] = [], more: Record<string, string> = {}) => ({
  hostEnv: { PATH: pathEntries.map((entry) => `${host.root}/${entry}`).join(':'), ...more },
  hostHome: host.home,
})

test('npm global in PATH: the package folder and nothing else', async () => {
  using host = machine()
  const folder = host.npmPackage('opt/node/lib/node_modules', '2.1.330', 'linked')
  host.link('opt/node/bin/claude', '../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe')
  const found = await findClaude(search(host, ['opt/node/bin']))
  expect(found).toMatchObject({ how: 'npm', version: '2.1.330', argv: [`${folder}/bin/claude.exe`], mounts: binds(folder) })
})

test('installed without package scripts: the platform package is what runs', async () => {
  using host = machine()
  const folder = host.npmPackage('opt/node/lib/node_modules', '2.1.330', 'stub')
  host.link('opt/node/bin/claude', '../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe')
  const found = await findClaude(search(host, ['opt/node/bin']))
  expect(found.argv).toEqual([`${folder}-linux-${process.arch}/claude`])
  expect(found.mounts).toEqual(binds(`${folder}-linux-${process.arch}`))
})

test('nvm without PATH: the newest installation, never the whole of ~/.nvm', async () => {
  using host = machine()
  for (const [node, version] of [
    ['v18.0.0', '2.1.100'],
    ['v22.5.0', '2.1.300'],
    ['v9.0.0', '2.1.60'],
  ] as const) {
    host.npmPackage(`home/.nvm/versions/node/${node}/lib/node_modules`, version, 'linked')
    host.link(`home/.nvm/versions/node/${node}/bin/claude`, '../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe')
  }
  const found = await findClaude(search(host))
  expect(found.version).toBe('2.1.300')
  expect(found.mounts).toEqual(binds(`${host.home}/.nvm/versions/node/v22.5.0/lib/node_modules/@anthropic-ai/claude-code`))
})

test('a script launcher runs with the Node it was installed for, not with the first of PATH', async () => {
  using host = machine()
  const folder = host.npmPackage('home/.nvm/versions/node/v20.1.0/lib/node_modules', '2.1.60', 'script')
  host.link('home/.nvm/versions/node/v20.1.0/bin/claude', '../lib/node_modules/@anthropic-ai/claude-code/cli.js')
  const node = host.elf('home/.nvm/versions/node/v20.1.0/bin/node')
  host.elf('other/node')
  const found = await findClaude(search(host, ['other', 'home/.nvm/versions/node/v20.1.0/bin']))
  expect(found.argv).toEqual([node, `${folder}/cli.js`])
  expect(found.mounts).toEqual([...binds(folder), ...binds(node)])
})

test('volta: its shim stands for the package in its image', async () => {
  using host = machine()
  const folder = host.npmPackage('home/.volta/tools/image/packages/@anthropic-ai/claude-code/lib/node_modules', '2.1.330', 'linked')
  host.elf('home/.volta/bin/volta-shim')
  host.link('home/.volta/bin/claude', 'volta-shim')
  expect(await findClaude(search(host))).toMatchObject({ argv: [`${folder}/bin/claude.exe`], mounts: binds(folder) })
})

test('native installer: one file, its version from its name', async () => {
  using host = machine()
  const program = host.elf('home/.local/share/claude/versions/2.1.330')
  host.link('home/.local/bin/claude', '../share/claude/versions/2.1.330')
  expect(await findClaude(search(host))).toMatchObject({
    how: 'native installer',
    version: '2.1.330',
    argv: [program],
    mounts: binds(program),
  })
})

test('launcher scripts of pnpm and of the former local installer lead to the package', async () => {
  using host = machine()
  const pnpm = host.npmPackage('home/.local/share/pnpm/global/5/node_modules', '2.1.330', 'linked')
  host.file(
    'home/.local/share/pnpm/claude',
    '#!/bin/sh\nbasedir=$(dirname "$0")\nexec "$basedir/global/5/node_modules/@anthropic-ai/claude-code/bin/claude.exe" "$@"\n',
    0o755,
  )
  const local = host.npmPackage('home/.claude/local/node_modules', '2.1.329', 'linked')
  host.link('home/.claude/local/node_modules/.bin/claude', '../@anthropic-ai/claude-code/bin/claude.exe')
  host.file('home/.claude/local/claude', `#!/bin/bash\nexec "${host.home}/.claude/local/node_modules/.bin/claude" "$@"\n`, 0o755)
  const found = await locateAll(claudeDistribution, search(host))
  expect(new Set(found.map((one) => one.argv[0]))).toEqual(new Set([`${local}/bin/claude.exe`, `${pnpm}/bin/claude.exe`]))
})

test('nothing in the project is taken for an installation, by name or through a link', async () => {
  using host = machine()
  host.npmPackage('project/node_modules', '2.1.330', 'linked')
  host.link('project/node_modules/.bin/claude', '../@anthropic-ai/claude-code/bin/claude.exe')
  host.elf('project/claude')
  host.link('bin/claude', '../project/node_modules/.bin/claude')
  const where = { ...search(host, ['project', 'project/node_modules/.bin', 'bin']), project: `${host.root}/project` }
  expect(await locateAll(claudeDistribution, where)).toEqual([])
  const { project: _project, ...without } = where
  expect(await locateAll(claudeDistribution, without)).not.toEqual([]) // control: it would have been found
})

test('relative PATH entries, broken links, folders and files without permission are passed over', async () => {
  using host = machine()
  host.link('a/claude', 'nowhere')
  host.file('b/claude/inside', '')
  host.file('c/claude', 'text', 0o644)
  const where = search(host, ['a', 'b', 'c'])
  expect(await locateAll(claudeDistribution, { ...where, hostEnv: { PATH: `.:bin::${where.hostEnv.PATH}` } })).toEqual([])
})

test('nothing found: both commands are named', async () => {
  using host = machine()
  const failure = await findClaude(search(host)).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'agent/not-installed' })
  expect((failure as { remedy: string }).remedy).toMatch(/npm install -g @anthropic-ai\/claude-code.*anchorhold agents install claude/)
  expect(await claude.examine(search(host))).toMatchObject([{ level: 'missing', remedy: 'anchorhold agents install claude' }])
})

test('too old to hold its rules: refused, unless a newer one is here as well', async () => {
  using host = machine()
  host.npmPackage('old/lib/node_modules', '2.1.52', 'linked')
  host.link('old/bin/claude', '../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe')
  await expect(findClaude(search(host, ['old/bin']))).rejects.toMatchObject({ code: 'agent/too-old', facts: { version: '2.1.52' } })
  const copy = host.npmPackage('home/.local/share/anchorhold/agents/claude/2.1.330/node_modules', '2.1.330', 'stub')
  expect(await findClaude(search(host, ['old/bin']))).toMatchObject({
    how: "anchorhold's copy",
    argv: [`${copy}-linux-${process.arch}/claude`],
  })
})

test('an incomplete copy does not count', async () => {
  using host = machine()
  host.npmPackage('home/.local/share/anchorhold/agents/claude/2.1.330/node_modules', '2.1.330', 'script')
  host.npmPackage('home/.local/share/anchorhold/agents/claude/2.1.331.partial-x/node_modules', '2.1.331', 'stub')
  expect(await locateAll(claudeDistribution, search(host))).toEqual([])
})
