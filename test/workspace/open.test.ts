// A whole workspace on a real project, with what a cell would do done from here (the covers themselves are the engine's; test/run has real cells).
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Cell } from '../../src/model/engine.ts'
import type { SessionEvent } from '../../src/model/events.ts'
import type { Cover } from '../../src/model/plan.ts'
import type { Policy } from '../../src/model/policy.ts'
import { openWorkspace, sweepAfterCrash } from '../../src/workspace/open.ts'
import { restoreQuarantined } from '../../src/workspace/quarantine.ts'

const origin = { kind: 'user', source: 'policy.yaml' } as const
const files = (part: Partial<Record<'hide' | 'protect' | 'unprotect', readonly string[]>> = {}): Policy['files'] => ({
  mount: [],
  hide: (part.hide ?? []).map((glob) => ({ glob, origin })),
  protect: (part.protect ?? []).map((glob) => ({ glob, origin })),
  unprotect: (part.unprotect ?? []).map((glob) => ({ glob, origin })),
})

interface Scene {
  readonly top: string
  readonly project: string
  readonly put: (file: string, content?: string) => string
  readonly read: (file: string) => string | undefined
  readonly git: (...args: readonly string[]) => string
}

function scene(): Scene {
  const top = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-workspace-')))
  onTestFinished(() => rmSync(top, { recursive: true, force: true, maxRetries: 3 }))
  const project = path.join(top, 'project')
  mkdirSync(project)
  const at = (file: string) => path.join(project, file)
  return {
    top,
    project,
    put(file, content = 'x') {
      mkdirSync(path.dirname(at(file)), { recursive: true })
      writeFileSync(at(file), content)
      return at(file)
    },
    read(file) {
      try {
        return readFileSync(at(file), 'utf8')
      } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
        throw error
      }
    },
    git: (...args) =>
      execFileSync(
        'git',
        ['-c', 'user.name=t', '-c', 'user.email=t@x.test', '-c', 'protocol.file.allow=always', '-c', 'init.defaultBranch=main', ...args],
        {
          cwd: project,
          env: {
            PATH: process.env['PATH'] ?? '',
            HOME: top,
            GIT_CONFIG_NOSYSTEM: '1',
            GIT_AUTHOR_NAME: 't',
            GIT_AUTHOR_EMAIL: 't@x.test',
            GIT_COMMITTER_NAME: 't',
            GIT_COMMITTER_EMAIL: 't@x.test',
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ).toString(),
  }
}

let sessions = 0
async function open(where: Scene, policy: Policy['files'] = files(), mode: 'live' | 'readonly' = 'live') {
  const events: SessionEvent[] = []
  const sessionFolder = path.join(where.top, 'state/sessions', `s${++sessions}`)
  mkdirSync(sessionFolder, { recursive: true, mode: 0o700 })
  const workspace = await openWorkspace({
    project: where.project,
    roots: mode === 'live' ? [where.project] : [],
    files: policy,
    mode,
    sessionFolder,
    home: '/home/agent',
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
  })
  onTestFinished(() => workspace.close())
  const until = async (done: () => boolean) => {
    for (let i = 0; i < 500 && !done(); i += 1) await sleep(10)
    expect(done()).toBe(true)
  }
  const of = <K extends SessionEvent['kind']>(kind: K) =>
    events.filter((event): event is Extract<SessionEvent, { kind: K }> => event.kind === kind)
  const coverOf = (file: string) => workspace.covers.find((cover) => cover.path === path.join(where.project, file))
  return { workspace, sessionFolder, events, of, until, coverOf, quarantined: () => of('file.quarantined').map((event) => event.path) }
}

/** A cell as seen from here: remembers what is covered late. */
function witnessCell(): { readonly cell: Cell; readonly late: Cover[] } {
  const late: Cover[] = []
  return {
    late,
    cell: {
      pid: 1,
      cover: async (cover) => void late.push(cover),
      signal: () => undefined,
      kill: () => undefined,
      ended: new Promise(() => undefined),
    },
  }
}

describe('at the start', () => {
  test('existing protected paths are read-only, secrets empty, git’s configuration lent', async () => {
    const it = scene()
    it.git('init', '-q')
    for (const file of [
      '.vscode/a',
      '.claude/settings.json',
      '.claude/CLAUDE.md',
      '.env',
      'sub/.env.local',
      '.env.example',
      'deploy/x',
      'secret/a',
      'n/.git/config',
      'n/.git/hooks/x',
    ])
      it.put(file)
    const { workspace, coverOf, of } = await open(it, files({ hide: ['secret/'], protect: ['deploy'] }))
    for (const file of ['.vscode', '.claude/settings.json', '.git/hooks', 'deploy', 'n/.git/config', 'n/.git/hooks'])
      expect(coverOf(file), file).toMatchObject({ kind: 'readonly' })
    expect(coverOf('.env')).toEqual({ kind: 'empty', path: path.join(it.project, '.env'), what: 'file' })
    expect(coverOf('secret')).toMatchObject({ kind: 'empty', what: 'directory' })
    expect(coverOf('.env.example')).toBeUndefined()
    expect(coverOf('.git/config')).toEqual({
      kind: 'link',
      path: path.join(it.project, '.git/config'),
      target: '/run/anchorhold/git/0/config',
    })
    expect(workspace.mounts).toContainEqual(expect.objectContaining({ to: '/run/anchorhold/git/0', mode: 'rw' }))
    expect(workspace.mounts).toContainEqual({
      kind: 'bind',
      from: path.join(it.project, '.claude'),
      to: path.join(it.project, '.claude'),
      mode: 'rw',
    })
    expect(of('files.hidden')[0]?.paths).toEqual(['.env', 'secret', 'sub/.env.local'])
  })

  test('read-only workspaces hide, and have nothing to protect', async () => {
    const it = scene()
    it.put('.env')
    it.put('.vscode/a')
    const { workspace } = await open(it, files(), 'readonly')
    expect(workspace.covers).toEqual([{ kind: 'empty', path: path.join(it.project, '.env'), what: 'file' }])
  })

  test('a lifted name is neither covered nor taken away; its neighbours are', async () => {
    const it = scene()
    it.put('.github/workflows/a.yml')
    const { workspace, coverOf, quarantined } = await open(it, files({ unprotect: ['.github/workflows/**', '.vscode'] }))
    expect(coverOf('.github/workflows')).toBeUndefined()
    it.put('.vscode/tasks.json')
    it.put('.idea/x')
    await workspace.close()
    expect(quarantined()).toEqual(['.idea'])
  })

  test('hooks folders of core.hooksPath, included files and targets of protected links are covered too', async () => {
    const it = scene()
    it.git('init', '-q')
    for (const file of ['tools/hooks/pre-commit', 'shared/config', 'settings/vscode/tasks.json', 'keys/env']) it.put(file)
    it.put('shared/config', '[core]\n\thooksPath = tools/hooks\n')
    it.git('config', 'include.path', '../shared/config')
    symlinkSync('settings/vscode', path.join(it.project, '.vscode'))
    symlinkSync('keys/env', path.join(it.project, '.env'))
    const { coverOf } = await open(it)
    for (const file of ['tools/hooks', 'shared/config', 'settings/vscode', '.vscode'])
      expect(coverOf(file), file).toMatchObject({ kind: 'readonly' })
    for (const file of ['.env', 'keys/env']) expect(coverOf(file), file).toMatchObject({ kind: 'empty' })
  })

  test('secrets that no cover hides are warned of', async () => {
    const it = scene()
    it.git('init', '-q')
    it.put('.env', 'K=1')
    it.put('.npmrc', '//registry.x.test/:_authToken=abcdef\n')
    it.git('add', '-Af')
    it.git('config', 'remote.o.url', 'https://me:token@x.test/a.git')
    const { workspace, of } = await open(it)
    await workspace.close()
    expect(
      of('warning')
        .map(({ code }) => code)
        .toSorted(),
    ).toEqual(['files/hidden-but-tracked', 'files/secret-in-git-config', 'files/secret-in-settings'])
    expect(JSON.stringify(of('warning'))).not.toMatch(/abcdef|me:token/)
  })
})

describe('what is planted', () => {
  const names = [
    '.claude/settings.json',
    '.CLAUDE/Settings.Local.json',
    '.mcp.json',
    '.vscode/tasks.json',
    'a/b/.VsCode/x',
    '.envrc',
    '.idea/x',
    '.husky/pre-commit',
    '.github/workflows/x.yml',
    'anchorhold.yaml',
    '.bashrc',
    'x.code-workspace',
    '.hg/hgrc',
    '.devcontainer/devcontainer.json',
    '.cursor/mcp.json',
    'opencode.json',
    '.claude/skills/x/SKILL.md',
  ]
  test.each(names)('%s is taken away at once, and comes back by the command', async (file) => {
    const it = scene()
    const { workspace, sessionFolder, of, until } = await open(it)
    it.put(file, 'planted')
    await until(() => it.read(file) === undefined)
    await workspace.close()
    const event = of('file.quarantined')[0]
    expect(event?.restore).toBe(`anchorhold restore ${path.basename(sessionFolder)} ${event?.path}`)
    expect(await restoreQuarantined(sessionFolder, event?.path ?? '')).toBe(path.join(it.project, event?.path ?? ''))
    expect(it.read(file)).toBe('planted')
    await expect(restoreQuarantined(sessionFolder, event?.path ?? '')).rejects.toMatchObject({ code: 'workspace/not-restored' })
  })

  test('links, pipes and hard links under such names too; what they name is untouched', async () => {
    const it = scene()
    const outside = path.join(it.top, 'outside')
    mkdirSync(outside)
    writeFileSync(path.join(outside, 'settings.json'), 'precious')
    const { workspace } = await open(it)
    symlinkSync(outside, path.join(it.project, '.vscode'))
    symlinkSync(outside, path.join(it.project, '.claude'))
    execFileSync('mkfifo', [path.join(it.project, '.mcp.json')])
    linkSync(it.put('plain'), path.join(it.project, '.envrc'))
    await workspace.close()
    expect(readdirSync(it.project).toSorted()).toEqual(['.claude', 'plain']) // a link named .claude has no settings of the project in it
    expect(readFileSync(path.join(outside, 'settings.json'), 'utf8')).toBe('precious')
  })

  test('restoring never overwrites and never leaves the project', async () => {
    const it = scene()
    const { workspace, sessionFolder } = await open(it)
    it.put('a/.mcp.json', 'planted')
    await workspace.close()
    it.put('a/.mcp.json', 'the user’s own')
    await expect(restoreQuarantined(sessionFolder, 'a/.mcp.json')).rejects.toMatchObject({ code: 'workspace/not-restored' })
    expect(it.read('a/.mcp.json')).toBe('the user’s own')
    rmSync(path.join(it.project, 'a'), { recursive: true })
    symlinkSync(it.top, path.join(it.project, 'a'))
    await expect(restoreQuarantined(sessionFolder, 'a/.mcp.json')).rejects.toMatchObject({ code: 'workspace/not-restored' })
    expect(existsSync(path.join(it.top, '.mcp.json'))).toBe(false)
  })

  test('a folder moved with what was protected in it is not planted', async () => {
    const it = scene()
    it.put('pkg/a/.vscode/settings.json', 'mine')
    await sleep(30)
    const { workspace, quarantined } = await open(it)
    renameSync(path.join(it.project, 'pkg'), path.join(it.project, 'packages'))
    await sleep(100)
    await workspace.close()
    expect(quarantined()).toEqual([])
    expect(it.read('packages/a/.vscode/settings.json')).toBe('mine')
  })

  test('after a crash the next start finds it', async () => {
    const it = scene()
    it.put('.vscode/settings.json', 'mine')
    it.put('sub/.idea/x', 'mine')
    const { sessionFolder, workspace } = await open(it)
    const left = path.join(it.top, 'left')
    mkdirSync(left)
    writeFileSync(path.join(left, 'workspace.json'), readFileSync(path.join(sessionFolder, 'workspace.json')))
    await workspace.close()
    it.put('.mcp.json')
    const events: SessionEvent[] = []
    await sweepAfterCrash({ project: it.project, since: new Date(), folder: left, session: 's', emit: (event) => void events.push(event) })
    expect(events).toMatchObject([{ kind: 'file.quarantined', path: '.mcp.json' }])
    expect(it.read('.vscode/settings.json')).toBe('mine')
    await sweepAfterCrash({
      project: it.project,
      since: new Date(),
      folder: it.top,
      session: 's',
      emit: (event) => void events.push(event),
    })
    expect(events).toHaveLength(1)
  })
})

describe('what must not keep the last look from happening', () => {
  test('a lost watch', async () => {
    const it = scene()
    const { workspace, quarantined } = await open(it)
    for (const pid of childrenNamed('anchorhold-scou')) if (readlinkSync(`/proc/${pid}/fd/3`) === it.project) process.kill(pid, 'SIGKILL')
    it.put('.mcp.json')
    await workspace.close()
    expect(quarantined()).toEqual(['.mcp.json'])
  })

  test('a project and folders without any rights', async () => {
    const it = scene()
    it.put('a/x')
    const { workspace, quarantined } = await open(it)
    it.put('a/.mcp.json')
    it.put('.vscode/x')
    for (const folder of ['.vscode', 'a', '.']) chmodSync(path.join(it.project, folder), 0)
    await sleep(200)
    await workspace.close()
    expect(quarantined().toSorted()).toEqual(['.vscode', 'a/.mcp.json'])
  })

  test('a session kept on another file system', async () => {
    const it = scene()
    const other = mkdtempSync('/dev/shm/ah-workspace-')
    onTestFinished(() => rmSync(other, { recursive: true, force: true }))
    const { workspace, quarantined, sessionFolder } = await open({ ...it, top: other })
    it.put('.vscode/deep/tasks.json', 'planted')
    symlinkSync('/etc/passwd', path.join(it.project, '.vscode/link'))
    execFileSync('mkfifo', [path.join(it.project, '.vscode/pipe')])
    await workspace.close()
    expect(quarantined()).toEqual(['.vscode'])
    expect(it.read('.vscode/deep/tasks.json')).toBeUndefined()
    await restoreQuarantined(sessionFolder, '.vscode')
    expect(it.read('.vscode/deep/tasks.json')).toBe('planted')
    expect(readdirSync(path.join(it.project, '.vscode')).toSorted()).toEqual(['deep', 'link'])
  })
})

function childrenNamed(name: string): readonly number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((pid) => pid !== '')
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name)
}

describe('git', () => {
  test('new repositories, submodules and work trees stay', async () => {
    const it = scene()
    it.git('init', '-q')
    it.put('a')
    it.git('add', '-A')
    it.git('commit', '-qm', 'first')
    const { workspace, of } = await open(it)
    it.git('init', '-q', 'fresh')
    it.git('clone', '-q', '.', 'cloned')
    it.git('worktree', 'add', '-q', 'tree')
    it.git('submodule', 'add', '-q', './cloned', 'sub')
    it.git('-C', 'fresh', 'commit', '-qm', 'x', '--allow-empty')
    await sleep(200)
    await workspace.close()
    expect(of('file.quarantined')).toEqual([])
    for (const repository of ['fresh', 'cloned', 'tree', 'sub']) expect(it.git('-C', repository, 'log', '--oneline')).not.toBe('')
  })

  test.each([
    ['an alias', (it: Scene) => it.git('-C', 'n', 'config', 'alias.x', '!touch pwned')],
    [
      'a file monitor in a bare repository deep down',
      (it: Scene) => (it.git('init', '-q', '--bare', 'docs/img/x'), it.git('-C', 'docs/img/x', 'config', 'core.fsmonitor', 'touch pwned')),
    ],
    ['an include', (it: Scene) => (it.put('n/inc', '[core]\nfsmonitor = x\n'), it.git('-C', 'n', 'config', 'include.path', '../inc'))],
    ['a hook', (it: Scene) => it.put('n/.git/hooks/pre-commit', '#!/bin/sh\n')],
    [
      'a hooks folder by link',
      (it: Scene) => (
        rmSync(path.join(it.project, 'n/.git/hooks'), { recursive: true }),
        it.put('h/pre-commit'),
        symlinkSync('../../h', path.join(it.project, 'n/.git/hooks'))
      ),
    ],
    ['a git link out of the project', (it: Scene) => it.put('m/.git', `gitdir: ${it.top}\n`)],
    ['a link named .git', (it: Scene) => (it.put('m/x'), symlinkSync(it.top, path.join(it.project, 'm/.git')))],
    [
      'a crafted commondir',
      (it: Scene) => (
        it.put('store/HEAD', 'ref: refs/heads/x\n'),
        it.put('store/commondir', '../elsewhere\n'),
        it.put('elsewhere/objects/x'),
        it.put('elsewhere/refs/x'),
        it.put('elsewhere/config', '[alias]\nx = !y\n'),
        it.put('m/.git', 'gitdir: ../store\n')
      ),
    ],
    ['a work tree configuration', (it: Scene) => it.put('n/.git/config.worktree', '[core]\nfsmonitor = x\n')],
    [
      'a submodule with a command',
      (it: Scene) => it.put('.gitmodules', '[submodule "a"]\npath = a\nurl = https://x.test/a\nupdate = !touch pwned\n'),
    ],
    [
      'a module’s hooks',
      (it: Scene) => (
        it.put('.git/modules/m/HEAD', 'ref: refs/heads/x\n'),
        it.put('.git/modules/m/objects/x'),
        it.put('.git/modules/m/refs/x'),
        it.put('.git/modules/m/hooks/post-checkout')
      ),
    ],
  ])('%s does not stay', async (_, plant) => {
    const it = scene()
    it.git('init', '-q')
    const { workspace, quarantined } = await open(it)
    it.git('init', '-q', 'n')
    plant(it)
    await sleep(150)
    await workspace.close()
    expect(quarantined()).not.toEqual([])
    expect(it.git('-C', 'n', 'config', '--list', '--local', '--includes')).not.toMatch(/fsmonitor|alias|include/)
    expect(it.git('-C', 'n', 'status', '--porcelain')).toBeDefined()
    expect(existsSync(path.join(it.project, 'n/.git/hooks/pre-commit'))).toBe(false)
  })

  test('the lent configuration is merged back in place, by two sessions at once, beside what the host writes', async () => {
    const it = scene()
    it.git('init', '-q')
    const one = await open(it)
    const two = await open(it)
    const { ino } = process.getBuiltinModule('node:fs').statSync(path.join(it.project, '.git/config'))
    const inCell = (session: { readonly sessionFolder: string }, ...args: readonly string[]) =>
      it.git('config', '--file', path.join(session.sessionFolder, 'git/0/config'), ...args)
    inCell(one, 'remote.a.url', 'https://x.test/a.git')
    inCell(one, 'core.hooksPath', '/tmp/evil')
    inCell(two, 'remote.b.url', 'git@x.test:b.git')
    inCell(two, 'branch.main.remote', 'b')
    writeFileSync(path.join(it.project, '.git/config'), '\n[user]\n\tname = host\n', { flag: 'a' })
    await Promise.all([one.workspace.close(), two.workspace.close()])
    const now = it.git('config', '--local', '--list')
    for (const line of ['remote.a.url=https://x.test/a.git', 'remote.b.url=git@x.test:b.git', 'branch.main.remote=b', 'user.name=host'])
      expect(now).toContain(line)
    expect(now).not.toContain('hookspath')
    expect(one.of('git.held')[0]?.keys).toEqual(['core.hookspath'])
    expect(readFileSync(one.of('git.held')[0]?.kept ?? '', 'utf8')).toContain('/tmp/evil')
    expect(process.getBuiltinModule('node:fs').statSync(path.join(it.project, '.git/config')).ino).toBe(ino)
    expect(existsSync(path.join(it.project, '.git/config.lock'))).toBe(false)
  })

  test('a lent configuration replaced by a link or left unreadable changes nothing', async () => {
    const it = scene()
    it.git('init', '-q')
    const before = it.read('.git/config')
    for (const spoil of [
      (file: string) => (rmSync(file), symlinkSync('/etc/passwd', file)),
      (file: string) => writeFileSync(file, '[broken'),
      (file: string) => rmSync(file),
    ]) {
      const { workspace, sessionFolder, of } = await open(it)
      spoil(path.join(sessionFolder, 'git/0/config'))
      await workspace.close()
      expect(it.read('.git/config')).toBe(before)
      expect(of('git.held')).toHaveLength(1)
    }
  })

  test('a linked work tree brings its git-dir along, a crafted one does not', async () => {
    const main = scene()
    main.git('init', '-q')
    main.git('commit', '-qm', 'x', '--allow-empty')
    const tree = { ...main, project: path.join(main.top, 'tree') }
    main.git('worktree', 'add', '-q', tree.project)
    const common = path.join(main.project, '.git')
    const { workspace } = await open(tree)
    const mounts = workspace.mounts.flatMap((mount) => (mount.kind === 'bind' ? [`${mount.to} ${mount.mode}`] : []))
    expect(mounts[0]).toBe(`${common} ro`)
    expect(mounts).toContain(`${common}/objects rw`)
    expect(mounts).toContain(`${common}/worktrees/tree rw`)
    expect(mounts).not.toContain(`${common} rw`)
    expect(workspace.covers).toContainEqual({ kind: 'link', path: `${common}/config`, target: '/run/anchorhold/git/0/config' })
    for (const file of ['commondir', 'gitdir'])
      expect(workspace.covers).toContainEqual({ kind: 'readonly', path: `${common}/worktrees/tree/${file}` })
    const liar = { ...main, project: path.join(main.top, 'liar') }
    mkdirSync(liar.project)
    writeFileSync(path.join(liar.project, '.git'), `gitdir: ${common}/worktrees/tree\n`)
    const crafted = await open(liar)
    expect(crafted.workspace.mounts).toEqual([])
    expect(crafted.of('warning')).toMatchObject([{ code: 'git/outside' }])
  })
})

describe('while the cell runs', () => {
  test('a cover that the host takes away by replacing the file is put back', async () => {
    const it = scene()
    it.git('init', '-q')
    it.put('.claude/settings.json', '{}')
    it.put('.env', 'A=1')
    const { workspace, until, of, quarantined } = await open(it)
    const { cell, late } = witnessCell()
    workspace.attach(cell)
    for (const file of ['.claude/settings.json', '.env']) renameSync(it.put(`${file}.new`, 'replaced'), path.join(it.project, file))
    it.git('config', 'user.note', 'host')
    await until(() => late.length >= 3)
    expect(late.map((cover) => [cover.kind, path.relative(it.project, cover.path)]).toSorted()).toEqual([
      ['empty', '.env'],
      ['link', '.git/config'],
      ['readonly', '.claude/settings.json'],
    ])
    expect(of('file.protection-renewed')).toHaveLength(3)
    await workspace.close()
    expect(quarantined()).toEqual([])
    expect(it.read('.claude/settings.json')).toBe('replaced')
  })
})
