// Our reader of git's configuration against git's own, on a private copy; judging and merging by cases (attacks.md PER-02, PER-03, PER-07).
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatGitConfig, parseGitConfig, type ConfigEntry } from '../../src/workspace/git-config.ts'
import { judgeEntry, judgeModulesEntry } from '../../src/workspace/git-harmless.ts'
import { appendEntries, mergeConfigs } from '../../src/workspace/git-merge.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ah-gitconfig-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const gitEnv = () => ({ PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' })

/** What git reads, as `key` or `key\nvalue`; undefined where git refuses the file. */
function gitReads(text: string): readonly string[] | undefined {
  const file = path.join(folder, 'config')
  writeFileSync(file, Buffer.from(text, 'latin1'))
  const { status, stdout } = spawnSync('git', ['config', '--file', file, '--no-includes', '--list', '-z'], {
    env: gitEnv(),
    cwd: folder,
    encoding: 'latin1',
  })
  return status === 0 ? stdout.split('\0').slice(0, -1) : undefined
}

function weRead(text: string): readonly string[] | undefined {
  const parsed = parseGitConfig(text)
  return parsed.ok ? parsed.entries.map(({ key, value }) => (value === undefined ? key : `${key}\n${value}`)) : undefined
}

const entriesOf = (text: string): readonly ConfigEntry[] => {
  const parsed = parseGitConfig(text)
  expect(parsed.ok).toBe(true)
  return parsed.entries
}

describe('the parser reads what git reads', () => {
  test.each([
    '',
    '\n',
    '[core]',
    '[core]\n\tbare',
    '[core]\nbare=',
    '[core] bare = true',
    '[CoRe]\nBaRe = TRUE',
    '[a "B c"]\nx=1',
    '[a.B]\nx=1',
    '[a "q\\"\\\\z"]\nx=1',
    '[a]\nx = "a b"c # d',
    '[a]\nx = a\\\n  b',
    '[a]\nx = a ; c',
    '[a]\nx = "a;b#c"',
    '[a]\r\nx=1\r\n',
    '[a]\nx=1\r',
    '\u00ef\u00bb\u00bf[a]\nx=1',
    '[a]\nx = \\t\\n\\"',
    '[a]\nx="open',
    '[a]\nx=\\q',
    '[a\nb]',
    '[a "b\nc"]',
    '[a "b" ]',
    '[]\nx=1',
    '[ "b"]\nx=1',
    '[.]\nx=1',
    'x=1',
    '[a]\n1x=2',
    '[a]\nx y',
    '[a]\nx\\\n=1',
    '# only\n; comments',
    '[a] # c\nx=1',
    '[a]x=1[b]y=2',
    '[a]\nx=1\\',
    '[a]\nx=1 \\\n',
    '[a]\nx=a  b\tc ',
    '[a]\nx = "a" "b"',
    '[a]\n\tx\t=\t1',
    '[a-b]\nx-y=1',
    '[a_b]\nx=1',
    '[a]\nx_y=1',
    '[a "\\\n"]\nx=1',
    '[a  \t "b"]\nx=1',
    '# no end',
    '[a]\nx=1#',
  ])('%j', (text) => {
    expect(weRead(text)).toEqual(gitReads(text))
  })

  test('random files', () => {
    const piece = fc.constantFrom(
      '[core]',
      '[]',
      '[ "s"]',
      '[.]',
      '[a "b"]',
      '[a.b]',
      '[Remote "X Y"]',
      '[',
      ']',
      '"',
      '\\',
      '\\\n',
      '\n',
      '\r\n',
      '\r',
      '=',
      ' = ',
      ' ',
      '\t',
      '#',
      ';',
      'key',
      'hooksPath',
      'a-b',
      'v',
      '1',
      '\\t',
      '\\"',
      '\\\\',
      '\\x',
      '\u00e9',
      '.',
      '\u00ef\u00bb\u00bf',
      'x = y\n',
      '[include]\n',
      'path = z\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const text = pieces.join('')
        expect(weRead(text)).toEqual(gitReads(text))
      }),
      { numRuns: 400 },
    )
  }, 60_000)

  test('what is formatted is read back, by us and by git', () => {
    const value = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '\n', '\t', '#', ';', '=', '\u00ff', ']', '['), maxLength: 12 })
    const entry = fc.record({
      section: fc.constantFrom('a', 'remote'),
      subsection: fc.option(fc.string({ unit: fc.constantFrom('x', ' ', '"', '\\', ']', '.'), minLength: 1, maxLength: 6 }), {
        nil: undefined,
      }),
      name: fc.constantFrom('x', 'url'),
      value: fc.option(value, { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (parts) => {
        const entries = parts.map((part): ConfigEntry => ({
          ...part,
          key: [part.section, ...(part.subsection === undefined ? [] : [part.subsection]), part.name].join('.'),
        }))
        const text = formatGitConfig(entries)
        const wanted = entries.map((one) => (one.value === undefined ? one.key : `${one.key}\n${one.value}`))
        expect(weRead(text)).toEqual(wanted)
        expect(gitReads(text)).toEqual(wanted)
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})

describe('which entries are harmless', () => {
  const place = { gitDir: '/p/.git', roots: ['/p'] }
  const verdicts = (text: string) => entriesOf(text).map((entry) => judgeEntry(entry, place))

  test('what git itself writes into new repositories', () => {
    const text =
      '[core]\nrepositoryformatversion = 0\nfilemode = true\nbare = false\nlogallrefupdates = true\nworktree = ../../../sub\n[remote "origin"]\nurl = https://x.test/a.git\nfetch = +refs/heads/*:refs/remotes/origin/*\n[branch "main"]\nremote = origin\nmerge = refs/heads/main\nrebase = true\n[submodule "s"]\nurl = git@x.test:a/b.git\nactive = true\n'
    const sub = { gitDir: '/p/.git/modules/sub', roots: ['/p'] }
    expect(new Set(entriesOf(text).map((entry) => judgeEntry(entry, sub)))).toEqual(new Set(['harmless']))
  })

  test.each([
    '[core]\nhooksPath = x',
    '[core]\nfsmonitor = x',
    '[core]\nsshCommand = x',
    '[core]\npager = x',
    '[core]\neditor = x',
    '[core]\naskPass = x',
    '[core]\ngitProxy = x',
    '[core]\nalternateRefsCommand = x',
    '[alias]\nx = !y',
    '[credential]\nhelper = x',
    '[credential "https://x.test"]\nhelper = x',
    '[gpg]\nprogram = x',
    '[gpg "ssh"]\ndefaultKeyCommand = x',
    '[diff "x"]\ntextconv = y',
    '[diff]\nexternal = x',
    '[merge "x"]\ndriver = y',
    '[filter "x"]\nclean = y',
    '[filter "x"]\nprocess = y',
    '[remote "o"]\nuploadpack = x',
    '[remote "o"]\nreceivepack = x',
    '[remote "o"]\nvcs = ext',
    '[remote "o"]\nproxy = x',
    '[remote "o"]\nurl = ext::sh -c x',
    '[remote "o"]\nurl = -oProxyCommand=x',
    '[remote "o"]\nurl = ssh://-oProxyCommand=x/y',
    '[remote "o"]\nurl = fd::1',
    '[url "ext::"]\ninsteadOf = https://',
    '[protocol "ext"]\nallow = always',
    '[init]\ntemplateDir = x',
    '[sendemail]\nsmtpServer = /x',
    '[trailer "x"]\ncommand = y',
    '[submodule "x"]\nupdate = !y',
    '[interactive]\ndiffFilter = x',
    '[uploadpack]\npackObjectsHook = x',
    '[include]\npath = x',
    '[includeIf "gitdir:x"]\npath = y',
    '[core]\nworktree = ../..',
    '[core]\nrepositoryformatversion = 2',
    '[sequence]\neditor = x',
    '[difftool "x"]\ncmd = y',
    '[mergetool "x"]\ncmd = y',
    '[browser "x"]\ncmd = y',
    '[man "x"]\ncmd = y',
    '[pager]\nlog = x',
    '[http]\nproxy = x',
    '[http]\nsslVerify = false',
    '[ssh]\nvariant = x',
    '[core]\nattributesFile = x',
    '[core]\nexcludesFile = x',
    '[safe]\ndirectory = *',
    '[new]\nthing = 1',
    '[lfs]\nurl = x',
    '[core]\nprotectHFS = false',
    '[remote "o"]\npushurl = https://x.test/',
    '[branch "x"]\nremote = ext::sh',
    '[submodule "x"]\nurl = ext::sh',
  ])('never: %j', (text) => {
    expect(verdicts(text)).toEqual(['dangerous'])
  })

  test('neither harmless nor urgent', () => {
    expect(verdicts('[user]\nname = x\n[remote "o"]\nurl = /elsewhere/x.git\n[branch "b"]\nremote = /elsewhere')).toEqual([
      'inert',
      'inert',
      'inert',
    ])
  })

  test('.gitmodules', () => {
    const good =
      '[submodule "lib/a"]\npath = lib/a\nurl = https://x.test/a.git\nbranch = main\nshallow = true\n[submodule "b"]\npath=b\nurl=../b.git'
    expect(entriesOf(good).every(judgeModulesEntry)).toBe(true)
    for (const bad of [
      '[submodule "a"]\nupdate = !x',
      '[submodule "a"]\npath = ../x',
      '[submodule "a"]\npath = .git/hooks',
      '[submodule "../../x"]\nurl = https://x.test',
      '[submodule "a"]\nurl = -x',
      '[submodule "a"]\nurl = ext::sh',
      '[submodule "a"]\npath = "a\r"',
      '[core]\nx=1',
      '[submodule "a"]\npath = -x',
    ]) {
      expect(
        entriesOf(bad).some((entry) => !judgeModulesEntry(entry)),
        bad,
      ).toBe(true)
    }
  })
})

describe('merging back', () => {
  const place = { gitDir: '/p/.git', roots: ['/p'] }
  const base = '[core]\nbare = false\n[remote "origin"]\nurl = https://x.test/a\n[branch "old"]\nremote = origin\n'
  const merge = (left: string, now = base) => {
    const { take, hold, removed } = mergeConfigs(entriesOf(base), entriesOf(left), entriesOf(now), place)
    return { take: take.map(({ key }) => key), hold: hold.map(({ key }) => key), removed }
  }
  test('new remotes and branches are taken, whole', () => {
    expect(
      merge(
        `${base}[remote "up"]\nurl = https://y.test/b\nfetch = +refs/heads/*:refs/remotes/up/*\n[branch "new"]\nremote = up\nmerge = refs/heads/new\n`,
      ),
    ).toEqual({ take: ['remote.up.url', 'remote.up.fetch', 'branch.new.remote', 'branch.new.merge'], hold: [], removed: [] })
  })
  test('a changed address, a second address, a push address and what runs code are held', () => {
    for (const [left, key] of [
      [base.replace('x.test/a', 'evil.test/a'), 'remote.origin.url'],
      [`${base}[remote "origin"]\npushurl = https://evil.test\n`, 'remote.origin.pushurl'],
      [`${base}[alias]\nx = !y\n`, 'alias.x'],
      [`${base}[core]\nhooksPath = x\n`, 'core.hookspath'],
      [base.replace('remote = origin', 'remote = https://evil.test'), 'branch.old.remote'],
      [`${base}[user]\nemail = x\n`, 'user.email'],
    ] as const) {
      const result = merge(left)
      expect(result.take, left).toEqual([])
      expect(result.hold, left).toContain(key)
    }
    expect(merge(`${base}[remote "origin"]\nurl = https://evil.test\n`).take).toEqual([])
  })
  test('a new remote with one bad key is held whole, and so are branches that follow it', () => {
    expect(merge(`${base}[remote "up"]\nurl = https://y.test/b\nreceivepack = x\n[branch "new"]\nremote = up\n`)).toEqual({
      take: [],
      hold: ['remote.up.url', 'remote.up.receivepack', 'branch.new.remote'],
      removed: [],
    })
  })
  test('removals stay out; what another cell or the host wrote meanwhile is kept', () => {
    expect(merge('[core]\nbare = false\n').removed).toEqual(['remote.origin.url', 'branch.old.remote'])
    const added = '[remote "up"]\nurl = https://y.test/b\n'
    expect(merge(base + added, base + added)).toEqual({ take: [], hold: [], removed: [] })
    expect(merge(base + added, `${base}[remote "up"]\nurl = https://z.test/b\n`)).toMatchObject({ take: [], hold: ['remote.up.url'] })
  })
  test('appending never changes the meaning of what is there', () => {
    const take = entriesOf('[remote "u"]\nurl = https://x.test')
    for (const text of [base, base.trimEnd(), '', '[a]\nx = "y"']) expect(appendEntries(text, take)).toBeDefined()
    for (const text of ['[a]\nx = y\\', '[a]\nx = "y', '[a', '[a]\nx = y \\\n']) expect(appendEntries(text, take)).toBeUndefined()
  })
})

test('git is there for these tests', () => {
  expect(execFileSync('git', ['--version']).toString()).toContain('git version')
})
