// What git on the host would run or obey because of what a cell left (attacks.md PER-01, 02, 03, 07, 08, FS-25, TRM-15, 19..21): the real git of the
// host is run over the project afterwards, and a canary says whether anything of the cell's ran.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { inCell, type World } from '../support/anchorhold.ts'
import { git, gitWorld, identity, policyFile, quote } from '../support/repository.ts'

const canaryOf = (world: World) => path.join(world.home, 'ran')

/** A script that leaves the canary, in the shell's words; the cell cannot write there itself. */
const leave = (world: World) => `touch ${canaryOf(world)}`

/** What a user does next in each folder: looks, compares, adds, commits, checks out, merges on. Errors are part of daily life. */
function useOnHost(world: World, folders: readonly string[]): void {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: path.join(world.home, 'nobody'),
    GIT_AUTHOR_NAME: 't',
    GIT_AUTHOR_EMAIL: 't@e.test',
    GIT_COMMITTER_NAME: 't',
    GIT_COMMITTER_EMAIL: 't@e.test',
    GIT_EDITOR: 'true',
    GIT_TERMINAL_PROMPT: '0',
  }
  const commands = [
    'status',
    'diff',
    'log -1',
    'add -A',
    'commit -qm host --allow-empty',
    'rebase --continue',
    'cherry-pick --continue',
    'stash',
    'checkout -q -b other',
    'submodule update --init',
    'fetch --all',
    'gc --auto',
  ]
  for (const folder of folders) {
    if (!existsSync(path.join(world.project, folder))) continue
    for (const command of commands) {
      try {
        execFileSync('git', command.split(' '), { cwd: path.join(world.project, folder), env, stdio: 'ignore', timeout: 10_000 })
      } catch (error) {
        if (!(error instanceof Error)) throw error
      }
    }
  }
}

const store = (at: string, config: string) =>
  `mkdir -p ${at}/objects ${at}/refs/heads ${at}/hooks; echo 'ref: refs/heads/main' > ${at}/HEAD; printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n${config}' > ${at}/config`

interface Row {
  readonly row: string
  /** Shell inside; HOOK is the command that leaves the canary. */
  readonly script: string
  readonly use?: readonly string[]
  /** Whether git of the host really falls for it when nothing is taken away. */
  readonly bites?: boolean
}

const fsmonitor = `\\tfsmonitor = "HOOK; false"\\n`
const hook = (place: string) => `mkdir -p $(dirname ${place}); printf '#!/bin/sh\\nHOOK\\n' > ${place}; chmod 755 ${place}`

const settings: readonly (readonly [key: string, value: string])[] = [
  ['core.hooksPath', 'evil'],
  ['core.fsmonitor', 'HOOK; false'],
  ['core.sshCommand', 'HOOK'],
  ['core.pager', 'HOOK'],
  ['core.editor', 'HOOK'],
  ['core.askPass', 'HOOK'],
  ['core.gitProxy', 'HOOK'],
  ['core.alternateRefsCommand', 'HOOK'],
  ['alias.status', '!HOOK'],
  ['credential.helper', '!HOOK'],
  ['credential.https://x.test.helper', '!HOOK'],
  ['gpg.program', 'HOOK'],
  ['gpg.ssh.program', 'HOOK'],
  ['diff.external', 'HOOK'],
  ['diff.x.textconv', 'HOOK'],
  ['merge.x.driver', 'HOOK'],
  ['filter.x.clean', 'HOOK'],
  ['filter.x.process', 'HOOK'],
  ['remote.origin.uploadpack', 'HOOK'],
  ['remote.origin.receivepack', 'HOOK'],
  ['remote.origin.vcs', 'x'],
  ['remote.origin.proxy', 'http://x.test'],
  ['remote.origin.url', 'ext::sh -c HOOK'],
  ['url.ext::sh.insteadOf', 'https:'],
  ['protocol.ext.allow', 'always'],
  ['init.templateDir', 'tpl'],
  ['sendemail.smtpserver', '/x'],
  ['trailer.x.command', 'HOOK'],
  ['submodule.x.update', '!HOOK'],
  ['interactive.diffFilter', 'HOOK'],
  ['uploadpack.packObjectsHook', 'HOOK'],
  ['include.path', '../evil.config'],
  ['includeIf.gitdir:**.path', '../evil.config'],
  ['core.attributesFile', 'x'],
  ['sequence.editor', 'HOOK'],
  ['pager.status', 'HOOK'],
  ['browser.x.cmd', 'HOOK'],
  ['http.proxy', 'http://x.test'],
  ['http.sslVerify', 'false'],
]

const rows: readonly Row[] = [
  {
    row: 'PER-01 hooks of the project',
    script: `rm -rf .git/hooks; ${hook('.git/hooks/pre-commit')}; ${hook('.git/hooks/post-checkout')}`,
  },
  {
    row: 'PER-01 .git moved away, made anew, moved back',
    script: `mv .git .git2; mkdir .git; cp -r .git2/HEAD .git2/objects .git2/refs .git/; ${hook('.git/hooks/pre-commit')}; printf '[core]\\n${fsmonitor}' > .git/config`,
  },
  {
    row: 'PER-01 a new repository with a template of hooks',
    script: `${hook('tpl/hooks/pre-commit')}; ${hook('tpl/hooks/post-checkout')}; git init -q --template="$PWD/tpl" sub; cd sub && git commit -qm x --allow-empty`,
    use: ['sub'],
    bites: true,
  },
  {
    row: 'PER-01 a clone with hooks and settings',
    script: `git clone -q -c core.fsmonitor='HOOK; false' . sub; ${hook('sub/.git/hooks/pre-commit')}`,
    use: ['sub'],
    bites: true,
  },
  {
    row: 'PER-01 hooks of a work tree',
    script: `git worktree add -q tree; ${hook('.git/worktrees/tree/hooks/pre-commit')}; git config extensions.worktreeConfig true; printf '[core]\\n${fsmonitor}' > .git/worktrees/tree/config.worktree; printf '[core]\\n${fsmonitor}' > .git/config.worktree`,
    use: ['.', 'tree'],
  },
  {
    row: 'PER-01 hooks of a submodule',
    script: `git -c protocol.file.allow=always submodule add -q ./.git sub; ${hook('.git/modules/sub/hooks/pre-commit')}; git -C sub config core.fsmonitor 'HOOK; false'`,
    use: ['.', 'sub'],
    bites: true,
  },
  {
    row: 'PER-02 PER-03 every setting that runs or redirects',
    script: `${settings.map(([key, value]) => `git config '${key}' '${value}'`).join('; ')}; printf '[core]\\n${fsmonitor}' > evil.config; printf '* filter=x diff=x merge=x\\n' > .git/info/attributes; ${hook('evil/pre-commit')}`,
  },
  {
    row: 'PER-07 .git as a file to a store beside it',
    script: `mkdir -p sub/work; ${store('sub/store', fsmonitor)}; printf 'gitdir: ../store\\n' > sub/work/.git`,
    use: ['sub/work', 'sub/store'],
    bites: true,
  },
  { row: 'PER-07 .git as a link', script: `mkdir -p sub; ${store('kept', fsmonitor)}; ln -s ../kept sub/.git`, use: ['sub'], bites: true },
  {
    row: 'PER-07 TRM-15 a store where git keeps its own',
    script: `mkdir -p sub; ${store('.git/info/kept', fsmonitor)}; printf 'gitdir: ../.git/info/kept\\n' > sub/.git`,
    use: ['sub'],
  },
  {
    row: 'PER-07 a crafted commondir',
    script: `mkdir -p sub fake; ${store('kept', fsmonitor)}; echo 'ref: refs/heads/main' > fake/HEAD; echo ../kept > fake/commondir; printf 'gitdir: ../fake\\n' > sub/.git`,
    use: ['sub', 'fake'],
  },
  {
    row: 'PER-07 a buried bare repository',
    script: store('docs/img', fsmonitor.replace('\\t', '\\tworktree = ..\\n\\t')),
    use: ['docs/img'],
    bites: true,
  },
  {
    row: 'PER-07 a gitlink to a planted repository',
    script: `${identity} git init -q sub; git -C sub commit -qm x --allow-empty; git add sub; git -C sub config core.fsmonitor 'HOOK; false'`,
    use: ['.', 'sub'],
    bites: true,
  },
  {
    row: 'PER-08 .gitmodules with a command',
    script: `printf '[submodule "x"]\\n\\tpath = x\\n\\turl = ./.git\\n\\tupdate = !HOOK\\n' > .gitmodules`,
  },
  {
    row: 'PER-08 .gitmodules with a name that leads out',
    script: `printf '[submodule "../../x"]\\n\\tpath = x\\n\\turl = ext::sh -c HOOK\\n' > .gitmodules`,
  },
  {
    row: 'TRM-19 a rebase with commands',
    script: `${identity} mkdir -p .git/rebase-merge; cd .git/rebase-merge; git rev-parse HEAD > onto; cp onto orig-head; echo refs/heads/main > head-name; touch interactive done; echo 1 > msgnum; echo 1 > end; printf 'exec HOOK\\nx HOOK\\n' > git-rebase-todo`,
    bites: true,
  },
  {
    row: 'TRM-20 a sequence with commands',
    script: `mkdir -p .git/sequencer; git rev-parse HEAD > .git/sequencer/head; cp .git/sequencer/head .git/CHERRY_PICK_HEAD; printf 'exec HOOK\\n' > .git/sequencer/todo`,
  },
]

const armed = (world: World, script: string) => script.replaceAll('HOOK', leave(world))

describe('git on the host after a run', () => {
  it.each(rows)('$row: nothing of the cell runs', async ({ script, use = ['.'] }) => {
    const world = gitWorld()
    const config = readFileSync(path.join(world.project, '.git/config'), 'utf8')
    const { code } = await inCell(world, `(${armed(world, script)}) >/dev/null 2>&1; echo ok > control.txt`)
    expect({ code, control: existsSync(path.join(world.project, 'control.txt')) }).toEqual({ code: 0, control: true })
    useOnHost(world, use)
    expect(existsSync(canaryOf(world))).toBe(false)
    if (existsSync(path.join(world.project, '.git2'))) return
    const entries = git(world.project, 'config', '--local', '--list')
    expect(entries).not.toMatch(/hook|touch|ext::|x\.test|evil|insteadof|proxy/i)
    expect(readFileSync(path.join(world.project, '.git/config'), 'utf8').startsWith(config)).toBe(true)
  })

  it.each(rows.filter(({ bites }) => bites))('$row: runs where there is no wall, so the check can go red', ({ script, use = ['.'] }) => {
    const world = gitWorld()
    // The same act outside: what a cell does when nothing protects.
    execFileSync('sh', ['-c', `(${armed(world, script)}) >/dev/null 2>&1; true`], {
      cwd: world.project,
      env: { PATH: process.env['PATH'] ?? '', HOME: world.home },
    })
    useOnHost(world, use)
    expect(existsSync(canaryOf(world))).toBe(true)
  })

  it('PER-02 the control: a policy that lifts .git/config lets the setting through', async () => {
    const world = gitWorld()
    await inCell(world, `git config core.fsmonitor '${leave(world)}; false'`, [
      '--policy',
      policyFile(world, { files: { unprotect: ['.git/config'] } }),
    ])
    useOnHost(world, ['.'])
    expect(existsSync(canaryOf(world))).toBe(true)
  })
})

describe('what git writes through', () => {
  it.each([
    [['COMMIT_EDITMSG', 'index', 'logs/HEAD', 'logs/refs/heads/main', 'ORIG_HEAD', 'FETCH_HEAD', 'MERGE_MSG', 'packed-refs']],
    [['logs']],
  ])('FS-05 PER-35 files of git as links lead nothing out: %j', async (names) => {
    const world = gitWorld()
    const outside = path.join(world.home, '.bash_profile')
    await inCell(
      world,
      `${names.map((name) => `rm -rf .git/${name}; mkdir -p $(dirname .git/${name}); ln -s ${quote(outside)} .git/${name}`).join('; ')}; echo ok > control.txt`,
    )
    useOnHost(world, ['.'])
    expect(existsSync(outside)).toBe(false)
    expect(existsSync(path.join(world.project, 'control.txt'))).toBe(true)
  })

  it('FS-05 the control: git of the host follows such a link where nothing takes it away', () => {
    const world = gitWorld()
    const outside = path.join(world.home, '.bash_profile')
    execFileSync('sh', ['-c', `rm .git/logs/HEAD; ln -s ${quote(outside)} .git/logs/HEAD`], { cwd: world.project })
    useOnHost(world, ['.'])
    expect(existsSync(outside)).toBe(true)
  })
})

describe('paths that are obeyed by where they lie', () => {
  const swaps: Readonly<Record<string, string>> = {
    'the parent renamed and made anew': 'mv tools tools2; mkdir -p tools/hooks; HOOK',
    'the parent made a link': 'mkdir -p other/hooks; mv tools tools2; ln -s other tools; HOOK',
    'the parent moved away and back around a change':
      'mv tools tools2; mkdir -p tools/hooks; HOOK; mv tools x; mv tools2 tools; mv tools y; mv x tools',
  }
  it.each(Object.entries(swaps))('PER-01 PER-03 core.hooksPath: %s', async (_what, script) => {
    for (const exists of [true, false]) {
      const world = gitWorld()
      if (exists) {
        mkdirSync(path.join(world.project, 'tools/hooks'), { recursive: true })
        writeFileSync(path.join(world.project, 'tools/hooks/pre-commit'), '#!/bin/sh\n')
        chmodSync(path.join(world.project, 'tools/hooks/pre-commit'), 0o755)
      } else mkdirSync(path.join(world.project, 'tools'))
      git(world.project, 'config', 'core.hooksPath', 'tools/hooks')
      await inCell(
        world,
        `(${script.replace('HOOK', hook('tools/hooks/pre-commit').replace('HOOK', leave(world)))}) 2>/dev/null; echo ok > control.txt`,
      )
      useOnHost(world, ['.'])
      expect({ exists, ran: existsSync(canaryOf(world)), control: existsSync(path.join(world.project, 'control.txt')) }).toEqual({
        exists,
        ran: false,
        control: true,
      })
    }
  })

  it('PER-01 core.hooksPath that is absent is taken while the agent still works', async () => {
    const world = gitWorld()
    git(world.project, 'config', 'core.hooksPath', 'my-hooks')
    const { stdout } = await inCell(world, 'sleep 0.3; mkdir my-hooks; echo x > my-hooks/pre-commit; sleep 0.4; ls')
    expect(stdout).toBe('a.txt\n')
  })
})

it('PER-09 a rebase that the host had under way goes on inside, its own commands kept, none added', async () => {
  const world = gitWorld()
  for (const name of ['b', 'c']) {
    writeFileSync(path.join(world.project, name), name)
    git(world.project, 'add', '-A')
    git(world.project, 'commit', '-qm', name)
  }
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: world.home,
    GIT_COMMITTER_NAME: 't',
    GIT_COMMITTER_EMAIL: 't@e.test',
    GIT_SEQUENCE_EDITOR: `printf 'pick HEAD~1\\nbreak\\npick HEAD\\nbreak\\nexec true mine\\n' >`,
  }
  execFileSync('git', ['-c', 'rebase.abbreviateCommands=false', 'rebase', '-q', '-i', 'HEAD~2'], {
    cwd: world.project,
    env,
    stdio: 'ignore',
  })
  const steps = path.join(world.project, '.git/rebase-merge/git-rebase-todo')
  expect(readFileSync(steps, 'utf8')).toContain('exec true mine')
  const { code } = await inCell(
    world,
    `${identity} git rebase --continue >/dev/null 2>&1; echo 'exec ${leave(world)}' >> .git/rebase-merge/git-rebase-todo`,
  )
  expect(code).toBe(0)
  expect(readFileSync(steps, 'utf8')).toContain('exec true mine')
  expect(readFileSync(steps, 'utf8')).not.toContain('ran')
})
