// Derived presets against small real programs that answer as the managers do: what is found, and that no project has a say (attacks.md CFG-06, PER-31).
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RegistryContext } from '../../src/policy/presets.ts'
import { hostOfUrl } from '../../src/registries/ask.ts'
import { registries } from '../../src/registries/list.ts'

interface Bench extends Disposable {
  readonly context: RegistryContext
  /** Writes a program; it appends its folder, arguments and variables to `log`. */
  program(name: string, script: string, folder?: string): void
  log(): string
}

function makeBench(env: Readonly<Record<string, string>> = {}): Bench {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'anchorhold-registries-')))
  const [bin, project, home] = [path.join(root, 'bin'), path.join(root, 'project'), path.join(root, 'home')]
  for (const folder of [bin, project, home, path.join(project, 'node_modules', '.bin')]) mkdirSync(folder, { recursive: true })
  const PATH = [path.join(project, 'node_modules', '.bin'), '.', '', bin, '/usr/bin', '/bin'].join(':')
  const log = path.join(root, 'log')
  return {
    context: { hostEnv: { PATH, HOME: home, ...env }, hostHome: home, stateDir: path.join(root, 'state'), project },
    program(name, script, folder = bin) {
      writeFileSync(path.join(folder, name), `#!/bin/sh\n{ echo "$PWD $0 $*"; env; } >> ${log}\n${script}\n`)
      chmodSync(path.join(folder, name), 0o755)
    },
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    // A manager that was asked something else at the same time may still be writing its line.
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  }
}
const derive = (name: string, context: RegistryContext) => {
  const registry = registries.find((candidate) => candidate.name === name)
  if (registry === undefined) throw new Error(`no ${name}`)
  return registry.derive(context)
}
const shown = async (name: string, context: RegistryContext) =>
  (await derive(name, context)).hosts.map(({ host, port }) => `${host}:${port}`)

describe('each manager', () => {
  const npmrc = `{"registry":"https://npm.company.test/repo/","@team:registry":"http://team.company.test:4873/","//npm.company.test/:_authToken":"(protected)","registryx":"https://no.test"}`
  const table: readonly (readonly [string, string, string, readonly string[]])[] = [
    ['npm', 'npm', `echo '${npmrc}'`, ['npm.company.test:443', 'team.company.test:4873']],
    [
      'pnpm',
      'pnpm',
      `if [ "$2" = get ]; then echo https://npm.company.test/; else echo '${npmrc}'; fi`,
      ['npm.company.test:443', 'team.company.test:4873'],
    ],
    ['yarn', 'yarn', 'if [ "$1" = --version ]; then echo 1.22.0; else echo https://yarn.company.test; fi', ['yarn.company.test:443']],
    [
      'yarn',
      'yarn',
      `case "$*" in --version) echo 4.5.0;; *npmScopes*) echo '{"team":{"npmRegistryServer":"https://team.company.test"}}';; *) echo https://yarn.company.test;; esac`,
      ['yarn.company.test:443', 'team.company.test:443'],
    ],
    [
      'pip',
      'pip3',
      `case "$1" in download) echo "  -i, --index-url <url>  Base URL (default"; echo "      https://index.company.test/simple). It";; config) echo "global.extra-index-url='https://extra.company.test/simple https://more.company.test/x'";; *) echo "  Found link https://files.company.test/pip-1.whl (from https://index.company.test/simple/pip/), version: 1";; esac`,
      ['index.company.test:443', 'extra.company.test:443', 'more.company.test:443', 'files.company.test:443'],
    ],
    [
      'uv',
      'uv',
      `case "$1" in help) echo "      --default-index <DEFAULT_INDEX>"; echo "          The URL of the default package index (by default: <https://index.company.test/simple>)."; ;; *) cat >/dev/null; echo 'wheels = [{ url = "https://files.company.test/pip.whl" }]';; esac`,
      ['index.company.test:443', 'files.company.test:443'],
    ],
    [
      'go',
      'go',
      `echo '{"GOPROXY":"https://proxy.company.test|https://other.company.test:8443,off","GOSUMDB":"sum.company.test+ab12+xyz https://sums.company.test"}'`,
      ['proxy.company.test:443', 'other.company.test:8443', 'sums.company.test:443'],
    ],
    ['go', 'go', `echo '{"GOPROXY":"direct","GOSUMDB":"sum.company.test"}'`, ['sum.company.test:443']],
    [
      'cargo',
      'cargo',
      `mkdir -p "$HOME/.cargo/registry/index/index.company.test-abc"; echo '{"dl":"https://crates.company.test/api","api":null}' > "$HOME/.cargo/registry/index/index.company.test-abc/config.json"; case "$*" in *config*) echo '{"registries":{"team":{"index":"sparse+https://team.company.test/i/"}}}';; *) echo 'failed to download from \`https://index.company.test/config.json\`' >&2; exit 101;; esac`,
      ['index.company.test:443', 'team.company.test:443', 'crates.company.test:443'],
    ],
    [
      'apt',
      'apt-get',
      'echo http://deb.company.test/debian; echo https://sec.company.test/x; echo file:/media/cdrom',
      ['deb.company.test:80', 'sec.company.test:443'],
    ],
  ]
  it.each(table)('%s (%s) is asked', async (preset, program, script, hosts) => {
    using bench = makeBench()
    bench.program(program, script)
    expect(await shown(preset, bench.context)).toEqual(hosts)
    expect(bench.log()).not.toContain(`PWD=${bench.context.project}`)
  })

  it('maven is read from its settings and its own built-in POM', async () => {
    using bench = makeBench()
    const home = path.join(bench.context.hostHome, 'maven')
    mkdirSync(path.join(home, 'conf'), { recursive: true })
    mkdirSync(path.join(home, 'lib'))
    mkdirSync(path.join(bench.context.hostHome, '.m2'))
    bench.program('mvn', `echo "Apache Maven 3"; echo "Maven home: ${home}"`)
    writeFileSync(
      path.join(home, 'conf', 'settings.xml'),
      '<settings><!-- <mirror><url>https://no.test</url></mirror> --><mirrors><mirror><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url><blocked>true</blocked></mirror></mirrors></settings>',
    )
    writeFileSync(
      path.join(bench.context.hostHome, '.m2', 'settings.xml'),
      '<settings><mirrors><mirror><mirrorOf>*</mirrorOf><url>https://mvn.company.test/x</url></mirror></mirrors></settings>',
    )
    expect(await shown('maven', bench.context)).toEqual(['mvn.company.test:443'])
  })
})

describe('what a project has no say in', () => {
  it('is which program is asked', async () => {
    using bench = makeBench()
    bench.program('npm', `echo '{"registry":"https://evil.test/"}'`, path.join(bench.context.project, 'node_modules', '.bin'))
    bench.program('npm', `echo '{"registry":"https://npm.company.test/"}'`)
    expect(await shown('npm', bench.context)).toEqual(['npm.company.test:443'])
  })

  it("is the manager's variables under `npm run`", async () => {
    using bench = makeBench({
      npm_lifecycle_event: 'agent',
      npm_config_registry: 'https://evil.test/',
      NPM_CONFIG_REGISTRY: 'https://evil.test/',
      SECRET_KEY: 'hunter2',
      NODE_OPTIONS: '--require ./evil.js',
    })
    bench.program('npm', `echo "{\\"registry\\":\\"\${npm_config_registry:-\${NPM_CONFIG_REGISTRY:-https://npm.company.test/}}\\"}"`)
    expect(await shown('npm', bench.context)).toEqual(['npm.company.test:443'])
    expect(bench.log()).not.toMatch(/hunter2|evil/)
  })

  it("is not the user's own variables", async () => {
    using bench = makeBench({ npm_config_registry: 'https://own.company.test/' })
    bench.program('npm', `echo "{\\"registry\\":\\"$npm_config_registry\\"}"`)
    expect(await shown('npm', bench.context)).toEqual(['own.company.test:443'])
  })

  it('is the folder that managers are asked from', async () => {
    using bench = makeBench()
    writeFileSync(path.join(bench.context.project, '.npmrc'), 'registry=https://evil.test/\n')
    bench.program(
      'npm',
      `if [ -e .npmrc ]; then echo '{"registry":"https://evil.test/"}'; else echo '{"registry":"https://npm.company.test/"}'; fi`,
    )
    expect(await shown('npm', bench.context)).toEqual(['npm.company.test:443'])
    expect(bench.log()).toContain(path.join(bench.context.stateDir, 'registries', 'empty'))
  })
})

describe('what is remembered', () => {
  it('holds until variables or files change', async () => {
    using bench = makeBench()
    bench.program('npm', `echo '{"registry":"https://npm.company.test/"}'`)
    const asked = (): number => bench.log().split('config ls').length - 1
    await derive('npm', bench.context)
    await derive('npm', bench.context)
    expect(asked()).toBe(1)
    writeFileSync(path.join(bench.context.hostHome, '.npmrc'), 'x=1\n')
    await derive('npm', bench.context)
    expect(asked()).toBe(2)
    utimesSync(path.join(bench.context.hostHome, '.npmrc'), 1, 1)
    await derive('npm', bench.context)
    expect(asked()).toBe(3)
    await derive('npm', { ...bench.context, hostEnv: { ...bench.context.hostEnv, npm_config_registry: 'https://own.test' } })
    expect(asked()).toBe(4)
  })

  it('is not believed when others could have written it', async () => {
    using bench = makeBench()
    bench.program('npm', `echo '{"registry":"https://npm.company.test/"}'`)
    await derive('npm', bench.context)
    const file = path.join(bench.context.stateDir, 'registries', 'npm.json')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('npm.company.test', 'evil.test'))
    chmodSync(file, 0o666)
    expect(await shown('npm', bench.context)).toEqual(['npm.company.test:443'])
  })
})

describe('where nothing can be found out', () => {
  it('says that the manager is not installed', async () => {
    using bench = makeBench()
    await expect(derive('pnpm', { ...bench.context, hostEnv: { PATH: '/nowhere' } })).rejects.toMatchObject({
      code: 'policy/manager-missing',
      remedy: expect.stringContaining('--allow HOST'),
    })
  })
  it.each(['exit 3', 'echo "not json"', 'echo null', 'echo "[]"', 'echo {}'])('does not guess from "%s"', async (script) => {
    using bench = makeBench()
    bench.program('npm', script)
    await expect(derive('npm', bench.context)).rejects.toMatchObject({
      code: expect.stringMatching(/^policy\/(?:manager-unclear|no-registry)$/),
    })
  })
})

it.each([
  ['https://a.test/x', 'a.test:443'],
  ['http://a.test', 'a.test:80'],
  ['https://u:p@a.test:8443/', 'a.test:8443'],
  ['sparse+https://a.test/', 'a.test:443'],
  ['file:///x', undefined],
  ['off', undefined],
  ['', undefined],
  ['ftp://a.test', undefined],
])('the host of %j is %s', (url, host) => {
  const found = hostOfUrl(url, 'x')
  expect(found === undefined ? undefined : `${found.host}:${found.port}`).toBe(host)
})
