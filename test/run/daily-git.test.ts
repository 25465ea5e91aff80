// The daily work with git that sandboxes are known to break, in a real cell and a real repository; the host's own git says whether it arrived.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inCell } from '../support/anchorhold.ts'
import { git, gitWorld, identity, writeFiles } from '../support/repository.ts'

/** What is in an ordinary repository: hooks, settings of editors and agents, continuous integration, secrets. */
const ordinary = {
  '.gitignore': 'node_modules\n.env\n',
  '.env': 'KEY=value-of-env\n',
  '.vscode/settings.json': '{}\n',
  '.github/workflows/ci.yml': 'on: push\n',
  '.claude/settings.json': '{}\n',
  '.envrc': 'true\n',
  'src/main.c': 'int main(void) { return 0; }\n',
}

function repository() {
  const world = gitWorld()
  writeFiles(world.project, ordinary)
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'ordinary')
  return world
}

const jobs: Readonly<Record<string, string>> = {
  'add -A finds no ghost': 'git status --porcelain; git add -A; git diff --cached --name-only',
  'commit and amend':
    'echo x > x; git add -A; git commit -qm one; echo y >> x; git commit -qam two --amend; [ $(git rev-list --count HEAD) = 3 ]',
  'stash -u and pop':
    'echo x > x; echo y >> a.txt; git stash -q -u; [ ! -e x ]; git stash pop -q; [ -e x ]; git checkout -q -- a.txt; rm x',
  'rebase -i': `for n in 1 2 3; do echo $n > f$n; git add -A; git commit -qm c$n; done; GIT_SEQUENCE_EDITOR='sed -i 2s/pick/squash/' GIT_EDITOR=true git rebase -q -i HEAD~3 >/dev/null; [ $(git rev-list --count HEAD) = 4 ]`,
  'rebase --exec': `for n in 1 2; do echo $n > f$n; git add -A; git commit -qm c$n; done; git rebase -q --exec 'test -e f1' HEAD~2; [ ! -e .git/rebase-merge ]`,
  'a merge with a conflict':
    'git checkout -q -b b; echo b > a.txt; git commit -qam b; git checkout -q main; echo m > a.txt; git commit -qam m; ! git merge -q b >/dev/null 2>&1; echo both > a.txt; git add a.txt; git commit -qm merged; [ $(git rev-list --merges --count HEAD) = 1 ]',
  'cherry-pick, revert, tag':
    'git checkout -q -b b; echo b > b; git add b; git commit -qm b; git checkout -q main; git cherry-pick b >/dev/null; git revert --no-edit HEAD >/dev/null; git tag v1; git tag -a v2 -m v2; git describe >/dev/null',
  'worktree add, move, remove':
    'git worktree add -q tree; cd tree; echo t > t; git add t; git commit -qm t; cd ..; git worktree move tree tree2; git worktree remove tree2; git worktree prune',
  'submodule add, update, foreach': `git init -q --bare /tmp/lib.git; git clone -q /tmp/lib.git /tmp/lib 2>/dev/null; cd /tmp/lib; git checkout -q -b main; git commit -q --allow-empty -m l; git push -q origin main; cd "$OLDPWD"; git submodule add -q -b main /tmp/lib.git vendor/lib 2>&1; git commit -qm sub; git submodule update --init --recursive; git submodule foreach -q 'git status --porcelain'; git rm -qrf vendor/lib; git commit -qm unsub; rm -rf .git/modules/vendor`,
  'clone inside and outside the project':
    'git clone -q . /tmp/copy; git clone -q . copy; git -C copy log --oneline >/dev/null; rm -rf copy',
  'gc, fsck, repack': 'git gc -q --prune=now; git fsck --no-progress; git repack -qad',
  bisect: `for n in 1 2 3 4; do echo $n > n; git add n; git commit -qm n$n; done; git bisect start HEAD HEAD~4 >/dev/null; git bisect run sh -c 'test $(cat n 2>/dev/null || echo 0) -lt 3' >/dev/null; git bisect reset >/dev/null 2>&1`,
  'config, remote add, rename, set-url':
    'git config user.note x; git config --get user.note >/dev/null; git config --unset user.note; git remote add o https://git.example.test/o.git; git remote rename o p; git remote set-url p https://git.example.test/p.git; git remote -v >/dev/null; git branch -q feature; git branch -m feature f2; git branch -D f2 >/dev/null; git remote remove p',
  'grep, blame, log, archive, format-patch, am':
    'echo x > x; git add x; git commit -qm x; git grep -q one; git blame a.txt >/dev/null; git log -p >/dev/null; git archive HEAD | tar t >/dev/null; git format-patch -q -1 -o /tmp; git reset -q --hard HEAD~1; git am -q /tmp/0001-*.patch',
  'clean, mv, rm, restore, switch, reset':
    'mkdir t; echo x > t/x; git clean -qfd; git mv a.txt b.txt; git commit -qm mv; git rm -q b.txt; git restore --staged --worktree b.txt; git switch -q -c s; git switch -q main; git reset -q --hard',
  'sparse checkout and notes':
    'git notes add -m n; git notes show >/dev/null; git sparse-checkout set src 2>/dev/null; git sparse-checkout disable',
  'init a new repository':
    'git init -q new; cd new; echo x > x; git add -A; git commit -qm x; git log --oneline >/dev/null; cd ..; rm -rf new',
}

describe('git inside', () => {
  it.each(Object.entries(jobs))('%s', async (_what, script) => {
    const world = repository()
    const before = readFileSync(path.join(world.project, '.git/config'), 'utf8')
    const { code, stdout, stderr } = await inCell(world, `${identity} set -e; ${script}; git status --porcelain`)
    expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(git(world.project, 'status', '--porcelain')).toBe('')
    expect(git(world.project, 'fsck', '--no-progress', '--no-dangling')).toBe('')
    expect(readFileSync(path.join(world.project, '.git/config'), 'utf8')).toBe(before)
    for (const [file, text] of Object.entries(ordinary)) expect(readFileSync(path.join(world.project, file), 'utf8'), file).toBe(text)
    const foreign = execFileSync('find', [world.project, '!', '-user', String(process.getuid?.() ?? 0)]).toString()
    expect(foreign).toBe('')
  })

  it('push -u to a repository that is mounted writable: it arrives, and the branch follows its remote outside too', async () => {
    const world = repository()
    const bare = path.join(world.home, 'work/remote.git')
    git(world.home, 'init', '-q', '--bare', bare)
    const { code, stderr } = await inCell(
      world,
      `${identity} set -e; git remote add origin ${bare}; echo x > x; git add -A; git commit -qm pushed; git push -q -u origin main; git fetch -q; git pull -q`,
      ['--mount', `${bare}:rw`],
    )
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(git(bare, 'log', '-1', '--format=%s', 'main')).toBe('pushed\n')
    expect(git(world.project, 'config', 'remote.origin.fetch')).toContain('refs/remotes/origin')
    expect(stderr).not.toMatch(/held|kept/)
  })

  it('fetch and push by git’s own protocol from a service on the host’s loopback', async () => {
    const world = repository()
    const served = path.join(world.home, 'served')
    mkdirSync(served)
    git(world.home, 'init', '-q', '--bare', '-b', 'main', path.join(served, 'r.git'))
    const port = await freePort()
    const daemon = spawn(
      'git',
      ['daemon', `--base-path=${served}`, '--export-all', '--enable=receive-pack', '--listen=127.0.0.1', `--port=${port}`, '--reuseaddr'],
      { stdio: 'ignore', detached: true },
    )
    onTestFinished(() => void process.kill(-(daemon.pid ?? 0)))
    const url = `git://host.anchorhold.internal:${port}/r.git`
    const { code, stderr } = await inCell(
      world,
      `${identity} set -e; for i in 1 2 3 4 5 6 7 8; do git ls-remote ${url} >/dev/null 2>&1 && break; sleep 0.2; done; git remote add origin ${url}; git push -q -u origin main; git clone -q ${url} /tmp/c; test -e /tmp/c/a.txt`,
      ['--allow', `host.anchorhold.internal:${port}`],
    )
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(git(path.join(served, 'r.git'), 'log', '-1', '--format=%s', 'main')).toBe('ordinary\n')
    expect(git(world.project, 'config', '--get-all', 'remote.origin.url')).toBe(`${url}\n`)
  })

  it('a further work tree brings the project’s own protected files; what is changed in them goes', async () => {
    const world = repository()
    const { stdout } = await inCell(
      world,
      `${identity} sleep 0.2; git worktree add -q tree; git clone -q . copy; sleep 0.4; git -C tree status --porcelain; git -C copy status --porcelain; echo evil >> tree/.envrc; echo evil > tree/.vscode/tasks.json; mkdir -p x/.vscode; cp .envrc x; cp -r .vscode/. x/.vscode; sleep 0.4; ls -A tree x`,
    )
    expect(stdout).not.toMatch(/envrc|vscode/)
    expect(readFileSync(path.join(world.project, 'copy/.envrc'), 'utf8')).toBe(ordinary['.envrc'])
    expect(readFileSync(path.join(world.project, 'copy/.github/workflows/ci.yml'), 'utf8')).toBe(ordinary['.github/workflows/ci.yml'])
    expect(['tree/.envrc', 'tree/.vscode', 'x/.envrc', 'x/.vscode'].filter((name) => existsSync(path.join(world.project, name)))).toEqual(
      [],
    )
  })

  it('LIMIT: a checkout cannot change a protected file; it says so, and outside one checkout mends it', async () => {
    const world = repository()
    git(world.project, 'checkout', '-q', '-b', 'other')
    writeFiles(world.project, { '.github/workflows/ci.yml': 'on: pull_request\n', 'x.txt': 'x' })
    git(world.project, 'add', '-A')
    git(world.project, 'commit', '-qm', 'other')
    const { stdout, stderr } = await inCell(world, 'git checkout -q main; git rev-parse --abbrev-ref HEAD; ls x.txt')
    expect(stderr).toContain('.github/workflows/ci.yml')
    expect(stdout).not.toContain('x.txt')
    expect(readFileSync(path.join(world.project, '.github/workflows/ci.yml'), 'utf8')).toBe('on: pull_request\n')
    git(world.project, 'checkout', '-q', '-f', 'main')
    expect(git(world.project, 'status', '--porcelain')).toBe('')
  })

  it('hooks of the project run inside, where they can do no harm', async () => {
    const world = repository()
    writeFileSync(path.join(world.project, '.git/hooks/pre-commit'), '#!/bin/sh\nhostname > hook-ran\n', { mode: 0o755 })
    const { code } = await inCell(world, `${identity} echo x > x; git add x; git commit -qm x`)
    expect({ code, where: readFileSync(path.join(world.project, 'hook-ran'), 'utf8') }).toEqual({ code: 0, where: 'anchorhold\n' })
  })

  it('a lock and an index that a cell left are the user’s, and no other file is', async () => {
    const world = repository()
    await inCell(world, `${identity} git add -A; git commit -qm x --allow-empty`)
    expect(statSync(path.join(world.project, '.git/index')).uid).toBe(process.getuid?.())
    expect(readdirSync(path.join(world.project, '.git')).filter((name) => name.endsWith('.lock'))).toEqual([])
    expect(existsSync(path.join(world.project, 'config'))).toBe(false)
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

it('git init, again and again, is no plant: the link that git tries is gone at once; one that is left is taken', async () => {
  const world = gitWorld()
  const done = await inCell(world, 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do git init -q sub$i; done; ln -s testing sub1/.git/tAbc123')
  expect(done.code, done.stderr).toBe(0)
  expect(done.stderr.match(/in a git-dir/g)).toEqual(['in a git-dir'])
  expect(done.stderr).toContain('sub1/.git/tAbc123')
})

it("the user's own hooks stay where they are, whatever git does inside; a hook that was not there is still taken", async () => {
  const world = gitWorld()
  const hook = path.join(world.project, '.git/hooks/pre-commit')
  writeFiles(world.project, {
    '.git/hooks/pre-commit': '#!/bin/sh\n',
    '.git/hooks/extra/tool': 'x\n',
    'sub/.git/HEAD': 'ref: refs/heads/main\n',
  })
  git(path.join(world.project, 'sub'), 'init', '-q')
  writeFiles(world.project, { 'sub/.git/hooks/post-merge': '#!/bin/sh\n' })
  const work =
    'git status > status; git -C sub status >> status; git add a.txt; git commit -qm x --allow-empty; git gc -q; touch .git/new sub/.git/new'
  for (const script of [work, `${work}; git init -q other; mkdir -p other/.git/hooks; echo x > other/.git/hooks/pre-push`]) {
    const done = await inCell(world, `${identity} ${script}`)
    expect(done.code, done.stderr).toBe(0)
    expect(readFileSync(hook, 'utf8')).toBe('#!/bin/sh\n')
    expect(existsSync(path.join(world.project, 'sub/.git/hooks/post-merge'))).toBe(true)
    expect(existsSync(path.join(world.project, '.git/hooks/extra/tool'))).toBe(true)
    expect(done.stderr.includes('taken out of the project')).toBe(script !== work)
  }
  expect(existsSync(path.join(world.project, 'other/.git/hooks/pre-push'))).toBe(false)
})
