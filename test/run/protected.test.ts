// Protected and hidden paths in a live project through the real command line (attacks.md FS-07, 08, 10, 25, 30, PER-01, 02, 11, 15, 16).
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { inCell, makeWorld, start, type World } from '../support/anchorhold.ts'

function git(folder: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.test', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' },
  }).toString()
}

function gitWorld(): World {
  const world = makeWorld()
  git(world.project, 'init', '-q', '-b', 'main')
  writeFileSync(path.join(world.project, 'a.txt'), 'one\n')
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'first')
  return world
}

const identity = 'git config --global user.name t; git config --global user.email t@example.test;'

describe('protected paths', () => {
  it('existing ones cannot be changed, moved, linked or removed from inside', async () => {
    const world = gitWorld()
    const files = [
      '.git/hooks/pre-commit',
      '.vscode/settings.json',
      '.envrc',
      '.github/workflows/ci.yml',
      '.claude/settings.json',
      '.mcp.json',
      'sub/.vscode/tasks.json',
      'anchorhold.yaml',
    ]
    for (const file of files) {
      mkdirSync(path.dirname(path.join(world.project, file)), { recursive: true })
      writeFileSync(path.join(world.project, file), file === 'anchorhold.yaml' ? '{}\n' : 'original')
    }
    const config = readFileSync(path.join(world.project, '.git/config'), 'utf8')
    const script = files
      .map(
        (file, index) =>
          `f='${file}'; echo evil > "$f"; echo evil >> "$f"; rm -f "$f"; mv "$f" moved${index}; ln "$f" alias${index} && echo evil > alias${index}; mv "$(dirname "$f")" gone${index}; : > "$f"; sed -i s/original/evil/ "$f"`,
      )
      .join('\n')
    const before = new Map(files.map((file) => [file, readFileSync(path.join(world.project, file), 'utf8')]))
    await inCell(
      world,
      `{ ${script}\n git config core.fsmonitor 'touch pwned'; printf '[core]\\n\\tfsmonitor = touch pwned\\n' >> .git/config; } 2>/dev/null; true`,
    )
    for (const [file, content] of before)
      expect([file, existsSync(path.join(world.project, file)) && readFileSync(path.join(world.project, file), 'utf8')]).toEqual([
        file,
        content,
      ])
    expect(readFileSync(path.join(world.project, '.git/config'), 'utf8')).toBe(config)
  })

  it.each([
    '.claude/settings.json',
    '.mcp.json',
    '.vscode/tasks.json',
    '.envrc',
    '.VsCode/tasks.json',
    '.Claude/Settings.JSON',
    'deep/er/.vscode/tasks.json',
    '.idea/workspace.xml',
    '.husky/pre-commit',
    'anchorhold.yaml',
    '.git/hooks/post-checkout',
    '.GIT/hooks/pre-commit',
  ])('a newly planted %s does not stay, and the user is told how to get it back', async (file) => {
    const world = gitWorld()
    const { stderr, code } = await inCell(world, `mkdir -p "$(dirname '${file}')"; echo planted > '${file}'; exit 0`)
    expect(code).toBe(0)
    expect(existsSync(path.join(world.project, file))).toBe(false)
    if (!/^\.git\/hooks/.test(file)) expect(stderr).toContain('anchorhold restore')
  })

  it('a planted file is gone while the agent still runs', async () => {
    const world = gitWorld()
    const { outcome } = start(world, ['run', '--', 'sh', '-c', 'mkdir .vscode; echo x > .vscode/tasks.json; touch planted; sleep 3'])
    while (!existsSync(path.join(world.project, 'planted'))) await sleep(20)
    await sleep(500)
    expect(existsSync(path.join(world.project, '.vscode/tasks.json'))).toBe(false)
    await outcome
  })

  it('no ghost file appears, during or after', async () => {
    const world = gitWorld()
    const { stdout } = await inCell(world, 'ls -A; git status --porcelain')
    expect(stdout).toBe('.git\na.txt\n')
    expect(readdirSync(world.project)).toEqual(['.git', 'a.txt'])
  })

  it('git works inside: add -A, stash -u, commit, worktree, submodule, config, grep -r, cp -r', async () => {
    const world = gitWorld()
    const script = `set -e; ${identity}
      echo two > b.txt; git add -A; git commit -qm second
      echo three > c.txt; git stash -u -q; git stash pop -q
      git config --get core.bare; grep -r one . >/dev/null; cp -r . /tmp/copy
      git worktree add -q tree; (cd tree && echo t > t.txt && git add t.txt && git commit -qm tree)
      git -c protocol.file.allow=always submodule add -q ./.git sub
      git add -A; git commit -qm third; git log --oneline | wc -l`
    const { stdout, stderr, code } = await inCell(world, script)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('false')
    expect(git(world.project, 'log', '--format=%s').trim().split('\n')).toEqual(['third', 'second', 'first'])
    expect(git(world.project, 'fsck', '--no-progress', '--no-dangling')).toBe('')
  })

  it('git config, remote add and push -u work inside; harmless keys are merged back, the others held', async () => {
    const world = gitWorld()
    const script = `set -e; ${identity}
      git init -q --bare /tmp/remote.git
      git remote add origin /tmp/remote.git; git push -q -u origin main
      git remote add upstream https://git.example.test/x.git
      git config core.fsmonitor 'touch /tmp/pwned'; git config alias.x '!touch pwned'; git config --get alias.x`
    const { code, stdout, stderr } = await inCell(world, script)
    expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stdout: '!touch pwned\n', stderr: '' })
    const config = readFileSync(path.join(world.project, '.git/config'), 'utf8')
    expect(config).toContain('https://git.example.test/x.git')
    expect(config).not.toMatch(/fsmonitor|alias|touch/)
    expect(stderr).toContain('alias.x')
  })

  it('two cells on one project do not take each other’s protection away', async () => {
    const world = gitWorld()
    const long = start(world, [
      'run',
      '--',
      'sh',
      '-c',
      'touch up; while [ ! -e go ]; do sleep 0.05; done; echo evil >> .git/config; echo evil > .git/hooks/pre-commit; git config x.y z; true',
    ])
    while (!existsSync(path.join(world.project, 'up'))) await sleep(20)
    await inCell(world, 'git remote add fromfirst https://git.example.test/y.git')
    git(world.project, 'config', 'user.note', 'changed by the host meanwhile')
    await sleep(300)
    writeFileSync(path.join(world.project, 'go'), '')
    await long.outcome
    const config = readFileSync(path.join(world.project, '.git/config'), 'utf8')
    expect(config).toContain('fromfirst')
    expect(config).toContain('changed by the host meanwhile')
    expect(config).not.toContain('evil')
    expect(existsSync(path.join(world.project, '.git/hooks/pre-commit'))).toBe(false)
  })
})

describe('hidden paths', () => {
  it('.env and the like are empty inside, listed at the start, untouched outside', async () => {
    const world = gitWorld()
    mkdirSync(path.join(world.project, 'deep'))
    for (const file of ['.env', '.env.local', 'deep/.env', '.env.example'])
      writeFileSync(path.join(world.project, file), 'KEY=value-of-secret\n')
    const { stdout, stderr } = await inCell(
      world,
      'cat .env .env.local deep/.env .env.example; cp .env /tmp/x; wc -c < /tmp/x; echo KEY=evil > .env; grep -rc value-of-secret .env deep',
      ['--verbose'],
    )
    expect(stdout.match(/value-of-secret/g)).toHaveLength(1)
    expect(stderr).toContain('.env')
    expect(readFileSync(path.join(world.project, '.env'), 'utf8')).toBe('KEY=value-of-secret\n')
  })

  it('--hide hides what it names', async () => {
    const world = gitWorld()
    writeFileSync(path.join(world.project, 'private.txt'), 'not for agents')
    expect((await inCell(world, 'cat private.txt; echo end', ['--hide', 'private.*'])).stdout).toBe('end\n')
  })
})
