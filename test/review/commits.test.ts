// `apply --commits` and `--commit`: the agent's commits in the real repository, marked, without a hook; and one commit by the user
// (TRM-19, 21, 30).
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorhold, inCell, type World } from '../support/anchorhold.ts'
import { git, gitWorld } from '../support/repository.ts'

const me = {
  GIT_COMMITTER_NAME: 'User',
  GIT_COMMITTER_EMAIL: 'user@user.test',
  GIT_AUTHOR_NAME: 'User',
  GIT_AUTHOR_EMAIL: 'user@user.test',
}
const as = 'git -c user.name=User -c user.email=user@user.test'

async function proposed(script: string): Promise<World> {
  const world = gitWorld()
  git(world.project, 'config', 'user.name', 'User')
  git(world.project, 'config', 'user.email', 'user@user.test')
  const { code, stderr } = await inCell(world, script, ['--workspace', 'review'])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return world
}
const log = (world: World, format: string): readonly string[] => git(world.project, 'log', `--format=${format}`).trim().split('\n')

describe('commits', () => {
  it('are replayed with their messages, marked as the agent, no hook run; undo takes them back', async () => {
    const message = `two\\n\\nSigned-off-by: User <user@user.test>\\nesc \\033[31mred`
    const world = await proposed(
      `set -e; echo 2 >> a.txt; ${as} commit -qam one; echo new > b.txt; git add b.txt; printf '${message}' | ${as} commit -q -F -; echo later > c.txt
       mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch "$HOME/fired"\\n' > .git/hooks/post-commit; chmod +x .git/hooks/post-commit`,
    )
    const canary = path.join(world.home, 'canary')
    for (const hook of ['post-commit', 'pre-commit', 'reference-transaction', 'post-checkout']) {
      writeFileSync(path.join(world.project, '.git/hooks', hook), `#!/bin/sh\ntouch '${canary}'\n`)
      chmodSync(path.join(world.project, '.git/hooks', hook), 0o755)
    }
    const before = git(world.project, 'rev-parse', 'HEAD')
    const shown = await anchorhold(world, ['diff', '--stat'])
    expect(shown.stdout).toMatch(/2 commits on branch main[\s\S]*one[\s\S]*two/)
    expect(JSON.parse((await anchorhold(world, ['diff', '--json'])).stdout)).toMatchObject({ commits: [{ branch: 'main', count: 2 }] })
    const { code, stdout } = await anchorhold(world, ['apply', '--all', '--commits'], { env: me })
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/2 commits replayed, main is at/) }) // the hook stayed out
    expect(existsSync(canary)).toBe(false)
    expect(log(world, '%s')).toEqual(['two', 'one', 'first'])
    expect(log(world, '%an <%ae>').slice(0, 2)).toEqual(Array.from({ length: 2 }, () => 'command in anchorhold <agent@anchorhold.invalid>'))
    expect(log(world, '%cn').slice(0, 2)).toEqual(['User', 'User'])
    const body = git(world.project, 'log', '-1', '--format=%B')
    expect(body).toMatch(/^> Signed-off-by: User/m)
    expect(body).toMatch(/Anchorhold-Session: \d{8}-/)
    expect(body).not.toContain('\x1b')
    expect(git(world.project, 'status', '--porcelain')).toBe('?? c.txt\n')
    expect(git(world.project, 'fsck', '--strict')).not.toMatch(/error/)
    expect((await anchorhold(world, ['undo'])).code).toBe(0)
    expect(git(world.project, 'rev-parse', 'HEAD')).toBe(before)
    expect(git(world.project, 'status', '--porcelain')).toBe('')
  })

  it('that hold something risky are not replayed before it is named', async () => {
    const world = await proposed(
      `set -e; mkdir -p .github/workflows; echo x > .github/workflows/ci.yml; git add -A; ${as} commit -qm ci; echo 2 >> a.txt; ${as} commit -qam two`,
    )
    const refused = await anchorhold(world, ['apply', '--all', '--commits'], { env: me })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('.github/workflows/ci.yml') })
    expect(log(world, '%s')).toEqual(['first'])
    const named = await anchorhold(world, ['apply', '--all', '--commits', '.github/workflows/ci.yml'], { env: me })
    expect(named.code).toBe(0)
    expect(log(world, '%s')).toEqual(['two', 'ci', 'first'])
    expect(git(world.project, 'status', '--porcelain')).toBe('')
  })

  it("go to a branch of their own where the user's branch went on", async () => {
    const world = await proposed(`set -e; echo 2 > b.txt; git add -A; ${as} commit -qm inside`)
    writeFileSync(path.join(world.project, 'mine'), 'x')
    git(world.project, 'add', 'mine')
    git(world.project, 'commit', '-qm', 'outside')
    const { code, stdout } = await anchorhold(world, ['apply', '--all', '--commits'], { env: me })
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/anchorhold\/\S+\/main is at/) })
    expect(log(world, '%s')).toEqual(['outside', 'first'])
  })

  it('made in a submodule: told, their files are applied, and no commit that names one is replayed', async () => {
    const world = gitWorld()
    git(world.project, 'config', 'user.name', 'User')
    git(world.project, 'config', 'user.email', 'user@user.test')
    const other = path.join(world.home, 'other')
    mkdirSync(other)
    git(other, 'init', '-q', '-b', 'main')
    writeFileSync(path.join(other, 'f'), 'f\n')
    git(other, 'add', '-A')
    git(other, 'commit', '-qm', 'other')
    git(world.project, 'submodule', 'add', '-q', other, 'sub')
    git(world.project, 'commit', '-qm', 'sub')
    await inCell(
      world,
      `set -e; echo 2 >> a.txt; ${as} commit -qam plain; cd sub; echo more >> f; ${as} commit -qam inner; cd ..; ${as} commit -qam outer`,
      ['--workspace', 'review'],
    )
    const shown = await anchorhold(world, ['diff', '--stat'])
    expect(shown.stdout).toMatch(/^Commits in \.git\/modules\/sub are not replayed[^]* sub\/f \| 1 [^]*2 commits on branch main/)
    const refused = await anchorhold(world, ['apply', '--all', '--commits'], { env: me })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/made in a submodule, which are not carried over: sub\./) })
    expect([log(world, '%s'), git(world.project, 'status', '--porcelain')]).toEqual([['sub', 'first'], ''])
    expect((await anchorhold(world, ['apply', '--all'])).code).toBe(0)
    expect(git(path.join(world.project, 'sub'), 'status', '--porcelain')).toBe(' M f\n')
    expect(git(path.join(world.project, 'sub'), 'log', '--format=%s')).toBe('other\n')
  })

  it('a hostile git folder in the view runs nothing and lends nothing', async () => {
    const secret = 'elsewhere'
    const world = await proposed(
      `set -e; echo 2 >> a.txt; ${as} commit -qam one; git config core.fsmonitor "touch fired"; git config core.sshCommand evil; git config core.worktree /; git config alias.rev-list '!touch fired'
       mkdir -p .git/objects/info .git/info; echo /${secret} > .git/objects/info/alternates; echo garbage > .git/info/grafts; printf 'x' > .git/objects/pack/pack-0000000000000000000000000000000000000000.idx`,
    )
    const { code, stdout } = await anchorhold(world, ['apply', '--all', '--commits'], { env: me })
    expect({ code, stdout }).toMatchObject({ stdout: expect.stringMatching(/1 commit replayed/) })
    expect(existsSync(path.join(world.project, 'fired'))).toBe(false)
    expect(existsSync(path.join(world.project, '.git/objects/info/alternates'))).toBe(false)
    expect(readFileSync(path.join(world.project, '.git/config'), 'utf8')).not.toContain('fsmonitor')
  })

  it('--commit makes one commit of what was applied and nothing else', async () => {
    const world = await proposed('echo 2 >> a.txt; echo new > b.txt; echo i > x.log')
    writeFileSync(path.join(world.project, '.git/info/exclude'), '*.log\n')
    writeFileSync(path.join(world.project, 'staged'), 'mine')
    git(world.project, 'add', 'staged')
    const { code, stdout } = await anchorhold(world, ['apply', '--all', '--commit', 'By the agent'], { env: me })
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/committed as [\s\S]*x\.log/) })
    expect(git(world.project, 'show', '--format=%an %s', '--name-only').trim()).toBe('User By the agent\n\na.txt\nb.txt')
    expect(git(world.project, 'status', '--porcelain')).toBe('A  staged\n')
    expect((await anchorhold(world, ['undo'])).code).toBe(0)
    expect(log(world, '%s')).toEqual(['first'])
    expect(git(world.project, 'status', '--porcelain')).toBe('A  staged\n')
  })
})
