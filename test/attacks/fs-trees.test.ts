// Attacks.md FS rows about odd trees, many repositories and rules, and further roots; the witness is the host's file system.
import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { inCell } from '../support/anchorhold.ts'
import { git, gitWorld, plantingOf, policyFile, quote, writeFiles } from '../support/repository.ts'

const read = (...parts: readonly string[]) => readFileSync(path.join(...parts), 'utf8')

describe('odd trees', () => {
  it('FS-21 files that the host reads, as pipes: neither the start nor the end waits', async () => {
    const world = gitWorld()
    writeFiles(world.project, { '.env': 'x' })
    const names = [
      '.git/index',
      '.git/config',
      '.npmrc',
      '.yarnrc.yml',
      '.gitmodules',
      'README.md',
      'package.json',
      '.git/HEAD',
      '.git/logs/HEAD',
      '.git/packed-refs',
    ]
    await inCell(
      world,
      `for f in ${names.join(' ')}; do rm -f $f; mkfifo $f; done; git init -q sub; rm -f sub/.git/config; mkfifo sub/.git/config; echo ok > control`,
    )
    expect(existsSync(path.join(world.project, 'control'))).toBe(true)
    for (const name of names) if (!existsSync(path.join(world.project, name))) execFileSync('mkfifo', [path.join(world.project, name)])
    expect((await inCell(world, 'echo again', [], { timeoutMilliseconds: 15_000 })).stdout).toBe('again\n')
  })

  it('FS-22 locked, deep, long, huge: the last look gets everywhere and says so', async () => {
    const world = gitWorld()
    const { code, stderr } = await inCell(
      world,
      `
      perl -e 'for (1..1500) { mkdir "d"; chdir "d" } open F, ">.envrc"; print F "e"' ; perl -e 'for (1..18) { mkdir "n" x 250; chdir "n" x 250 } mkdir ".vscode"; open F, ">.vscode/tasks.json"'
      mkdir many; cd many; perl -e 'for (1..20000) { open F, ">f$_" } open F, ">.envrc"'; cd ..; mkdir -p box/.idea; echo e > box/.idea/x.xml; chmod 000 box; true`,
    )
    expect(code).toBe(0)
    expect(
      execFileSync('find', [world.project, '-name', '.envrc', '-o', '-name', '.vscode', '-o', '-name', '.idea'], {
        maxBuffer: 2 ** 26,
      }).toString(),
    ).toBe('')
    expect(stderr.match(/taken out of the project/g)).toHaveLength(1)
    execFileSync('rm', ['-rf', path.join(world.project, 'd'), path.join(world.project, 'n'.repeat(250))])
  })

  it('FS-25 among 2,000 nested repositories the last one is watched too', async () => {
    const world = gitWorld()
    for (let index = 0; index < 2000; index += 1) {
      const folder = path.join(world.project, `r${String(index % 40)}`, String(index), '.git')
      mkdirSync(path.join(folder, 'objects'), { recursive: true })
      mkdirSync(path.join(folder, 'refs'))
      mkdirSync(path.join(folder, 'hooks'))
      writeFileSync(path.join(folder, 'HEAD'), 'ref: refs/heads/main\n')
      writeFileSync(path.join(folder, 'config'), '[core]\n\tbare = false\n')
    }
    await inCell(
      world,
      'cd r39/1999; echo e > .git/hooks/pre-commit; echo "[core] fsmonitor = x" >> .git/config; mv .git .git2; mkdir .git; cp -r .git2/HEAD .git2/objects .git2/refs .git; mkdir .git/hooks; echo e > .git/hooks/pre-commit; cd ../..; echo e > r39/.envrc; echo ok > control',
    )
    const last = path.join(world.project, 'r39/1999')
    expect(read(last, '.git2/config')).not.toContain('fsmonitor')
    expect([
      existsSync(path.join(last, '.git/hooks/pre-commit')),
      existsSync(path.join(last, '.git2/hooks/pre-commit')),
      existsSync(path.join(world.project, 'r39/.envrc')),
      existsSync(path.join(world.project, 'control')),
    ]).toEqual([false, false, false, true])
  })

  it('FS-07 a thousand rules of the policy all protect, absent or there', async () => {
    const world = gitWorld()
    const names = Array.from({ length: 1000 }, (_, index) => `deploy/part${index}/run.sh`)
    writeFiles(world.project, Object.fromEntries(names.filter((_, index) => index % 2 === 0).map((name) => [name, 'original'])))
    await inCell(world, `${plantingOf(names, 'evil')}; echo ok > control`, ['--policy', policyFile(world, { files: { protect: names } })])
    expect(
      names.filter((name, index) =>
        index % 2 === 0 ? read(world.project, name) !== 'original' : existsSync(path.join(world.project, name)),
      ),
    ).toEqual([])
    expect(existsSync(path.join(world.project, 'control'))).toBe(true)
  })
})

describe('roots', () => {
  it('FS-07 FS-25 a second writable root, beside or inside the first, is protected like the first; read-only ones don’t change', async () => {
    const world = gitWorld()
    const [beside, inside, fixed] = ['work/beside', 'work/project/inside', 'work/fixed'].map((name) => path.join(world.home, name))
    for (const folder of [beside, inside, fixed]) writeFiles(folder ?? '', { '.envrc': 'original', '.env': 'value-of-env' })
    const script = [beside, inside, fixed]
      .map(
        (folder) =>
          `cd ${quote(folder ?? '')}; cat .env; echo evil > .envrc; mkdir -p .vscode; echo e > .vscode/tasks.json; echo e > .mcp.json; mv .envrc x; echo ok > control`,
      )
      .join('\n')
    const { stdout } = await inCell(world, `{ ${script}\n} 2>/dev/null; true`, [
      '--mount',
      `${beside}:rw`,
      '--mount',
      `${inside}:rw`,
      '--mount',
      `${fixed}:ro`,
    ])
    expect(stdout).toBe('')
    for (const folder of [beside, inside])
      expect(
        readdirSync(folder ?? '')
          .toSorted()
          .concat(read(folder ?? '', '.envrc')),
      ).toEqual(['.env', '.envrc', 'control', 'original'])
    expect(readdirSync(fixed ?? '').toSorted()).toEqual(['.env', '.envrc'])
  })

  it('FS-33 readonly: the tree’s bytes, names and times are the same afterwards', async () => {
    const world = gitWorld()
    writeFiles(world.project, { '.env': 'value-of-env', 'd/x': 'x' })
    const facts = () => execFileSync('find', ['.', '-printf', '%P %y %m %s %T@ %C@\\n'], { cwd: world.project }).toString()
    const before = facts()
    const { stdout } = await inCell(
      world,
      '{ echo e > a.txt; rm -rf d .git; mv d e; chmod 777 a.txt; touch n; ln a.txt b; mkdir .vscode; cat .env; } 2>/dev/null; cat a.txt; touch /tmp/x && echo control',
      ['--workspace', 'readonly'],
    )
    expect(stdout).toBe('one\ncontrol\n')
    expect(facts()).toBe(before)
    expect((await inCell(world, 'touch n')).code).toBe(0)
    expect(facts()).not.toBe(before)
  })

  it('FS-02 FS-25 a project inside another repository’s work tree sees no git-dir above it', async () => {
    const world = gitWorld()
    const inner = path.join(world.project, 'packages/one')
    writeFiles(inner, { 'x.txt': 'x' })
    const { stdout } = await inCell(
      world,
      'git rev-parse --git-dir 2>&1 | head -1; ls -A ../..; echo evil > ../../.git/config; echo ok > control',
      [],
      { cwd: inner },
    )
    expect(stdout).toContain('not a git repository')
    expect(stdout).not.toContain('a.txt')
    expect(git(world.project, 'status', '--porcelain', '-uall')).toContain('packages/one/control')
  })

  it('FS-25 a linked work tree: commits reach the repository, its settings, hooks and pointers do not change', async () => {
    const world = gitWorld()
    const tree = path.join(world.home, 'work/tree')
    git(world.project, 'worktree', 'add', '-q', tree)
    const before = [
      read(world.project, '.git/config'),
      read(tree, '.git'),
      read(world.project, '.git/worktrees/tree/commondir'),
      read(world.project, '.git/worktrees/tree/gitdir'),
    ]
    const main = world.project
    const script = `git config --global user.name t; git config --global user.email t@e.test; echo x > x; git add -A; git commit -qm inside
      for f in .git ${main}/.git/worktrees/tree/commondir ${main}/.git/worktrees/tree/gitdir ${main}/.git/hooks/pre-commit ${main}/.git/worktrees/tree/hooks/pre-commit ${main}/.git/config.worktree ${main}/.git/worktrees/tree/config.worktree ${main}/a.txt; do mkdir -p $(dirname $f); echo evil > $f; done
      git config core.fsmonitor 'touch x'; mv ${main}/.git ${main}/.git2`
    await inCell(world, `{ ${script}; } 2>/dev/null; true`, [], { cwd: tree })
    expect(git(tree, 'log', '-1', '--format=%s')).toBe('inside\n')
    expect([
      read(main, '.git/config'),
      read(tree, '.git'),
      read(main, '.git/worktrees/tree/commondir'),
      read(main, '.git/worktrees/tree/gitdir'),
    ]).toEqual(before)
    expect(
      ['hooks/pre-commit', 'worktrees/tree/hooks/pre-commit', 'config.worktree'].filter((name) =>
        existsSync(path.join(main, '.git', name)),
      ),
    ).toEqual([])
    expect(read(main, 'a.txt')).toBe('one\n')
  })

  it('FS-25 a submodule as the project: it commits, its settings stay, the outer project is not there', async () => {
    const world = gitWorld()
    const library = path.join(world.home, 'work/library')
    git(path.dirname(library), 'clone', '-q', world.project, library)
    git(world.project, 'submodule', 'add', '-q', library, 'sub')
    const sub = path.join(world.project, 'sub')
    const config = path.join(world.project, '.git/modules/sub/config')
    const before = readFileSync(config, 'utf8')
    const script =
      'git config --global user.name t; git config --global user.email t@e.test; echo x > x; git add -A; git commit -qm inside; git config core.fsmonitor "touch pwned"; echo "[core] fsmonitor = x" >> ../.git/modules/sub/config; echo e > ../.git/modules/sub/hooks/pre-commit; ls -A ..'
    const { stdout } = await inCell(world, `{ ${script}; } 2>/dev/null; true`, [], { cwd: sub })
    expect(git(sub, 'log', '-1', '--format=%s')).toBe('inside\n')
    expect([readFileSync(config, 'utf8'), existsSync(path.join(world.project, '.git/modules/sub/hooks/pre-commit'))]).toEqual([
      before,
      false,
    ])
    expect(stdout).not.toContain('a.txt')
  })

  it('FS-10 LIMIT: a second name that a file had before is a name of its own', async () => {
    const world = gitWorld()
    writeFiles(world.project, { '.env': 'value-of-env' })
    linkSync(path.join(world.project, '.env'), path.join(world.project, 'copy-of-env'))
    expect((await inCell(world, 'cat copy-of-env; cat .env')).stdout).toBe('value-of-env')
  })
})
