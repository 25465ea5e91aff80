// The view: everything works inside, and nothing of it is outside until somebody says so.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { anchorhold, inCell, makeWorld, start } from '../support/anchorhold.ts'
import { git, gitWorld, identity, writeFiles } from '../support/repository.ts'
import { changedIn, fingerprint, newest, settled, stateOf } from './world.ts'

const review = ['--workspace', 'review']

test('edits, deletions, renames, modes and links are seen inside and nowhere else', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'b.txt': 'two\n', 'src/deep/c.txt': 'three\n', 'old/x': 'x', 'old/y/z': 'z' })
  const before = fingerprint(world.project)
  const { code, stdout, stderr } = await inCell(
    world,
    `echo more >> a.txt; rm b.txt; mv old new && mv new/y new/why; chmod 755 src/deep/c.txt; ln -s ../.. out; echo fresh > Fresh; echo other > fresh
     ln Fresh twin; mkdir empty; rm -r src; mkdir src; echo again > src/only
     cat a.txt; ls new/why; stat -c '%h %a' twin; cat fresh; ls src`,
    review,
  )
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/14 files changed, 1 needs your eyes, none of it in the project yet/),
  })
  expect(stdout).toBe('one\nmore\nz\n2 644\nother\nonly\n')
  expect(fingerprint(world.project)).toBe(before)
  expect(changedIn(await settled(world))).toEqual(
    [
      '-b.txt',
      '-old',
      'Fresh',
      'a.txt',
      'empty/',
      'fresh',
      'new/',
      'new/why/',
      'new/why/z',
      'new/x',
      'out',
      'src/',
      'src/only',
      'twin',
    ].toSorted((a, b) => (a.replace('-', '') < b.replace('-', '') ? -1 : 1)),
  )
})

test('git works inside with index, objects, hooks and packed refs; the repository outside stays byte for byte', async () => {
  const world = gitWorld()
  git(world.project, 'branch', 'other')
  git(world.project, 'pack-refs', '--all')
  const before = fingerprint(world.project)
  const { code, stdout, stderr } = await inCell(
    world,
    `${identity} set -e; git status --short; git config core.editor true; echo 'exit 0' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
     echo x > new.txt; git add -A; git commit -qm inside; git switch -q other; git merge -q main; git tag v1; git stash list; git gc -q; git fsck
     git worktree add -q wt; echo y > wt/y; git -C wt add -A; git -C wt commit -qm tree; git worktree remove --force wt; git log --format=%s -2`,
    review,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/error|fatal/) })
  expect(stdout).toBe('inside\nfirst\n')
  expect(fingerprint(world.project)).toBe(before)
  expect(git(world.project, 'log', '--format=%s').trim()).toBe('first')
})

test('what is protected can be written in the view; secrets stay empty, whatever is done to them', async () => {
  const world = gitWorld()
  writeFiles(world.project, {
    '.env': 'TOKEN=hidden\n',
    'conf/.env.local': 'K=hidden\n',
    'anchorhold.yaml': 'workspace: { mode: review }\n',
  })
  await anchorhold(world, ['trust', '--yes'])
  const before = fingerprint(world.project)
  const { stdout } = await inCell(
    world,
    `mkdir -p .vscode .github/workflows; echo '{}' > .vscode/tasks.json; echo 'engine: auto' > anchorhold.yaml; echo x > .github/workflows/w.yml
     cat .env conf/.env.local; ln .env copy 2>/dev/null; mv conf moved 2>/dev/null; cp -r . /tmp/all; grep -r hidden /tmp/all . 2>/dev/null; echo end`,
    review,
  )
  expect(stdout).toBe('end\n')
  expect(fingerprint(world.project)).toBe(before)
  expect(changedIn(await settled(world), /vscode|github|yaml/)).toEqual(
    expect.arrayContaining(['.vscode/tasks.json', '.github/workflows/w.yml', 'anchorhold.yaml']),
  )
  expect(newest(world).proposal.hidden).toEqual([path.join(world.project, '.env'), path.join(world.project, 'conf/.env.local')])
})

test('a linked work tree commits inside; the repository it belongs to, elsewhere, stays as it is', async () => {
  const world = gitWorld()
  const tree = path.join(world.home, 'work', 'linked')
  git(world.project, 'worktree', 'add', '-q', '-b', 'side', tree)
  const before = [fingerprint(world.project), fingerprint(tree)]
  const { code, stdout, stderr } = await inCell(
    world,
    `${identity} echo n > n; git add n && git commit -qm inside && git log --format=%s`,
    [...review, '--project', tree],
    { cwd: tree },
  )
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'inside\nfirst\n', stderr: expect.not.stringMatching(/error|fatal/) })
  expect([fingerprint(world.project), fingerprint(tree)]).toEqual(before)
})

test('a writable mount is a view too, a read-only one stays what it is', async () => {
  const world = gitWorld()
  const shared = path.join(world.home, 'shared')
  const fixed = path.join(world.home, 'fixed')
  writeFiles(shared, { f: 'f\n' })
  writeFiles(fixed, { f: 'f\n' })
  const before = fingerprint(shared)
  const { stdout } = await inCell(world, `echo more >> ${shared}/f; cat ${shared}/f; echo no 2>/dev/null >> ${fixed}/f || echo read-only`, [
    ...review,
    '--mount',
    `${shared}:rw`,
    '--mount',
    fixed,
  ])
  expect(stdout).toBe('f\nmore\nread-only\n')
  expect(fingerprint(shared)).toBe(before)
  expect(newest(world).proposal.roots.map(({ purpose }) => purpose)).toEqual(['project', 'mount'])
})

test('a run goes on where another stopped, and what was before the first counts', async () => {
  const world = gitWorld()
  await inCell(world, 'echo first-run >> a.txt; rm -rf .git; echo n > n', [...review, '--name', 'mine'])
  const { proposal } = newest(world)
  const { code, stdout } = await anchorhold(world, [
    'run',
    '--continue',
    proposal.id.slice(0, 17),
    '--',
    'sh',
    '-c',
    'cat a.txt; echo second >> a.txt; rm n',
  ])
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'one\nfirst-run\n' })
  const third = await anchorhold(world, ['run', '--continue', 'mine', '--', 'tail', '-n1', 'a.txt'], { cwd: world.home })
  expect(third.stdout).toBe('second\n')
  const after = await settled(world)
  expect(after.proposal).toMatchObject({ id: proposal.id, state: 'open' })
  expect(after.proposal.runs).toHaveLength(3)
  expect(changedIn(after)).toEqual(['-.git', 'a.txt'])
  const kept = after.base.get('0:a.txt')
  expect(readFileSync(path.join(newest(world).folder, kept?.content ?? ''), 'utf8')).toBe('one\n')
})

test('several proposals wait side by side, also while they are made', async () => {
  const world = gitWorld()
  const runs = await Promise.all([1, 2, 3].map((number) => inCell(world, `echo ${number} > mine; sleep 0.3; cat mine`, review)))
  expect(runs.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n'])
  const { stdout } = await anchorhold(world, ['sessions', '--json'])
  expect(stdout.trim().split('\n')).toHaveLength(3)
  expect(existsSync(path.join(world.project, 'mine'))).toBe(false)
})

test('one cell at a time works on a proposal', async () => {
  const world = makeWorld()
  await inCell(world, 'true', [...review, '--name', 'held'])
  const { folder, proposal } = newest(world)
  const { holdProposal } = await import('../../src/review/lock.ts')
  using _held = holdProposal(folder, proposal.id)
  const { code, stderr } = await anchorhold(world, ['run', '--continue', 'held', '--', 'true'])
  expect(code).toBe(125)
  expect(stderr).toMatch(/is in use/)
})

test('anchorhold killed: what was done is there, whole, and can be gone on with', async () => {
  const world = gitWorld()
  const before = fingerprint(world.project)
  const { child, outcome } = start(world, [
    'run',
    ...review,
    '--',
    'sh',
    '-c',
    'echo kept > kept; echo more >> a.txt; echo ready; sleep 60',
  ])
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  child.kill('SIGKILL')
  await outcome
  expect(fingerprint(world.project)).toBe(before)
  const { proposal } = newest(world)
  expect(proposal.runs[0]).not.toHaveProperty('endedNs')
  const again = await anchorhold(world, ['run', '--continue', proposal.id, '--', 'cat', 'kept', 'a.txt'])
  expect(again).toMatchObject({ code: 0, stdout: 'kept\none\nmore\n' })
  expect(changedIn(await settled(world))).toEqual(['a.txt', 'kept'])
})

test('more than the disk limit ends the run, and keeps what was written so far', async () => {
  const world = makeWorld()
  const { code, stderr } = await inCell(world, 'while :; do head -c 4m /dev/zero >> big; sleep 0.05; done', [
    ...review,
    '--limit',
    'disk=16m',
  ])
  expect(code).toBe(137)
  expect(stderr).toMatch(/limit of disk \(16 MiB\)/)
  expect(existsSync(path.join(world.project, 'big'))).toBe(false)
  expect(changedIn(await settled(world))).toEqual(['big'])
})

test('what the user saves during the run is told from what the run found', async () => {
  const world = gitWorld()
  writeFiles(world.project, { still: 'still\n', touched: 'touched\n' })
  await new Promise((resolve) => setTimeout(resolve, 100)) // the files are older than the run
  const { child, outcome } = start(world, [
    'run',
    ...review,
    '--',
    'sh',
    '-c',
    'echo agent >> still; echo agent >> touched; echo ready; sleep 1; echo n > fresh',
  ])
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  writeFileSync(path.join(world.project, 'touched'), 'user\n')
  await outcome
  const { base } = await settled(world)
  expect([base.get('0:still')?.state, base.get('0:touched')?.state, base.get('0:fresh')?.state]).toEqual(['same', 'lost', 'absent'])
})

test('without overlays a copy does the same, and says so', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'dir/x': 'x\n', 'dir/y': 'y\n', gone: 'gone\n', same: 'same\n', 'tree/a/b': 'b' })
  await inCell(world, 'true', review)
  const answers = path.join(stateOf(world), 'views.json')
  const refused = readFileSync(answers, 'utf8').replaceAll(/\{"ok":true[^}]*\}/g, '{"ok":false,"reason":"no overlay on this disk"}')
  writeFileSync(answers, refused)
  const before = fingerprint(world.project)
  const { code, stdout, stderr } = await inCell(
    world,
    `${identity} rm gone; echo more >> dir/x; chmod 700 dir/y; mv tree wood; echo n > n; git add -A; git commit -qm inside; git log --format=%s`,
    [...review, '--json'],
  )
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'inside\nfirst\n' })
  expect(stderr).toMatch(/"kind":"review.opened".*"view":"(copy|reflink)"/)
  expect(stderr).toMatch(/no overlay on this disk/)
  expect(fingerprint(world.project)).toBe(before)
  expect(changedIn(await settled(world), /^[^.]/)).toEqual(
    expect.arrayContaining(['-gone', '-tree', 'dir/x', 'dir/y', 'n', 'wood/', 'wood/a/', 'wood/a/b']),
  )
  expect(changedIn(await settled(world))).not.toContain('same')
  expect(git(world.project, 'status', '--short')).not.toMatch(/inside/)
})
