// `anchorhold apply`, `undo` and `discard` on real runs, without a terminal (TRM-20).
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorhold, inCell, type World } from '../support/anchorhold.ts'
import { proposalPlaces } from '../../src/review/folders.ts'
import { newest } from './world.ts'
import { git, gitWorld, writeFiles } from '../support/repository.ts'

const lines = Array.from({ length: 30 }, (_, line) => `line ${line}\n`).join('')

async function proposed(script: string, files: Readonly<Record<string, string>> = {}): Promise<World> {
  const world = gitWorld()
  writeFiles(world.project, { 'long.txt': lines, 'gone.txt': 'gone\n', ...files })
  const { code, stderr } = await inCell(world, script, ['--workspace', 'review'])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return world
}
const read = (world: World, name: string): string => readFileSync(path.join(world.project, name), 'utf8')
const write = (world: World, name: string, text: string): void => writeFileSync(path.join(world.project, name), text)

describe('apply without a terminal', () => {
  it('takes what needs no look, names what it left, and says so by its exit code', async () => {
    const world = await proposed(
      'echo more >> a.txt; rm gone.txt; echo "#!/bin/sh" > tool; chmod +x tool; mkdir -p .github/workflows; echo x > .github/workflows/ci.yml',
    )
    const nothing = await anchorhold(world, ['apply'])
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining('--all') })
    expect(read(world, 'a.txt')).toBe('one\n')
    const { code, stdout } = await anchorhold(world, ['apply', '--all'])
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/applied a\.txt[\s\S]*left \.github\/workflows\/ci\.yml: it needs your eyes[\s\S]*left tool/),
    })
    expect(read(world, 'a.txt')).toBe('one\nmore\n')
    expect(existsSync(path.join(world.project, 'gone.txt'))).toBe(false)
    expect(existsSync(path.join(world.project, 'tool'))).toBe(false)
    const named = await anchorhold(world, ['apply', 'tool'])
    expect(named).toMatchObject({ code: 0 })
    expect(lstatSync(path.join(world.project, 'tool')).mode & 0o111).not.toBe(0)
    const folder = await anchorhold(world, ['apply', '.github'])
    expect(folder).toMatchObject({ code: 1 })
    expect((await anchorhold(world, ['diff', '--name-only'])).stdout).toBe('.github/workflows/ci.yml\n')
  })

  it('never overwrites what the user changed meanwhile: shown as a merge, merged only when asked', async () => {
    const world = await proposed('sed -i "s/line 3$/agent 3/" long.txt; echo agent > a.txt; rm gone.txt; echo new > both.txt')
    write(world, 'long.txt', lines.replace('line 20\n', 'user 20\n'))
    write(world, 'a.txt', 'user\n')
    write(world, 'gone.txt', 'kept by the user\n')
    write(world, 'both.txt', 'mine\n')
    const { code, stdout } = await anchorhold(world, ['apply', '--all'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/left long\.txt: you changed it meanwhile[\s\S]*merge cleanly/)
    expect(stdout).toMatch(
      /<<<<<<< yours[\s\S]*user[\s\S]*\|\|\|\|\|\|\| before[\s\S]*one[\s\S]*=======[\s\S]*agent[\s\S]*>>>>>>> proposed/,
    )
    expect([read(world, 'a.txt'), read(world, 'gone.txt'), read(world, 'both.txt')]).toEqual(['user\n', 'kept by the user\n', 'mine\n'])
    const merged = await anchorhold(world, ['apply', '--merge', 'long.txt'])
    expect(merged.code).toBe(0)
    expect(read(world, 'long.txt')).toBe(lines.replace('line 20\n', 'user 20\n').replace('line 3\n', 'agent 3\n'))
    expect((await anchorhold(world, ['undo'])).code).toBe(0)
    expect(read(world, 'long.txt')).toBe(lines.replace('line 20\n', 'user 20\n'))
  })

  it("a linked work tree: git's own record lies elsewhere and stays, its hooks are told, commits are refused by name", async () => {
    const world = gitWorld()
    const tree = path.join(world.home, 'work', 'tree')
    git(world.project, 'worktree', 'add', '-q', tree)
    const linked = { ...world, project: tree }
    const as = 'git -c user.name=t -c user.email=t@t.test'
    const { code } = await inCell(
      linked,
      `echo 2 >> a.txt; ${as} commit -qam in; echo x > "$(git rev-parse --git-common-dir)/hooks/post-commit"`,
      ['--workspace', 'review'],
    )
    expect(code).toBe(0)
    const head = git(tree, 'rev-parse', 'HEAD')
    const hook = path.join(world.project, '.git/hooks/post-commit')
    expect((await anchorhold(linked, ['diff', '--name-only'])).stdout.split('\n')).toEqual([hook, 'a.txt', ''])
    expect(await anchorhold(linked, ['apply', '--all', '--commits'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('lies elsewhere'),
    })
    expect((await anchorhold(linked, ['apply', '--all'])).code).toBe(1)
    expect([readFileSync(path.join(tree, 'a.txt'), 'utf8'), git(tree, 'rev-parse', 'HEAD'), existsSync(hook)]).toEqual([
      'one\n2\n',
      head,
      false,
    ])
  })

  it('what a later run slipped in after the diff was read is not applied before it is read again', async () => {
    const world = await proposed('echo one > new.txt; echo same > same.txt')
    expect((await anchorhold(world, ['diff'])).stdout).toContain('+one')
    const [id = ''] = (await anchorhold(world, ['sessions', '--json'])).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id)
    expect((await anchorhold(world, ['run', '--continue', id, '--', 'sh', '-c', 'echo two > new.txt; echo x > later.txt'])).code).toBe(0)
    const { code, stdout } = await anchorhold(world, ['apply', id, '--all'])
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/applied same\.txt[\s\S]*left later\.txt: it is not what[\s\S]*left new\.txt: it is not what/),
    })
    await anchorhold(world, ['diff', id])
    expect((await anchorhold(world, ['apply', id, '--all'])).code).toBe(0)
    expect(read(world, 'new.txt')).toBe('two\n')
  })

  it('undo takes the last apply back, refuses what was changed since, and does it when named', async () => {
    const world = await proposed('echo more >> a.txt; rm gone.txt; mkdir n; echo n > n/n')
    expect((await anchorhold(world, ['apply', '--all'])).code).toBe(0)
    write(world, 'a.txt', 'mine since\n')
    const refused = await anchorhold(world, ['undo'])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('a.txt') })
    expect(existsSync(path.join(world.project, 'n/n'))).toBe(true)
    const some = await anchorhold(world, ['undo', 'gone.txt', 'n'])
    expect(some).toMatchObject({ code: 0 })
    expect([read(world, 'gone.txt'), existsSync(path.join(world.project, 'n')), read(world, 'a.txt')]).toEqual([
      'gone\n',
      false,
      'mine since\n',
    ])
    const named = await anchorhold(world, ['undo', 'a.txt'])
    expect(named).toMatchObject({ code: 0, stdout: expect.stringContaining('taken back a.txt') })
    expect(read(world, 'a.txt')).toBe('one\n')
    const kept = /what you had in a.txt is kept: (.*)/.exec(named.stdout)?.[1] ?? ''
    expect(readFileSync(kept, 'utf8')).toBe('mine since\n')
    expect((await anchorhold(world, ['diff', '--name-only'])).stdout).toBe('a.txt\ngone.txt\nn/n\n')
  })

  it('undo of a rename takes both names back, whichever is given', async () => {
    for (const name of ['there.txt', 'long.txt']) {
      const world = await proposed('mv long.txt there.txt; echo more >> a.txt')
      expect((await anchorhold(world, ['apply', '--all'])).stdout).toMatch(/applied there\.txt/)
      expect(existsSync(path.join(world.project, 'long.txt'))).toBe(false)
      const { code, stdout } = await anchorhold(world, ['undo', name])
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/2 paths taken back/) })
      expect([read(world, 'long.txt'), existsSync(path.join(world.project, 'there.txt')), read(world, 'a.txt')]).toEqual([
        lines,
        false,
        'one\nmore\n',
      ])
      expect((await anchorhold(world, ['diff', '--stat'])).stdout).toMatch(/long\.txt → there\.txt +\| renamed/)
    }
  })

  it('undo of what the user put a folder at leaves it, and the proposal still knows it as applied', async () => {
    const world = await proposed('echo more >> a.txt')
    await anchorhold(world, ['apply', '--all'])
    rmSync(path.join(world.project, 'a.txt'))
    mkdirSync(path.join(world.project, 'a.txt'))
    const named = await anchorhold(world, ['undo', 'a.txt'])
    expect(named).toMatchObject({ code: 1, stdout: expect.stringContaining('left a.txt') })
    rmdirSync(path.join(world.project, 'a.txt'))
    write(world, 'a.txt', 'one\nmore\n')
    expect((await anchorhold(world, ['undo'])).code).toBe(0)
    expect(read(world, 'a.txt')).toBe('one\n')
  })

  it('a folder that keeps something of the user is told as left, not as applied', async () => {
    const world = await proposed('rm -r d', { 'd/one': '1', 'd/two': '2' })
    write(world, 'd/mine', 'mine')
    const { code, stdout } = await anchorhold(world, ['apply', 'd/one', 'd/two', 'd'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/left d: there is something else in it/)
    expect(stdout).not.toMatch(/applied d$/m)
    expect(read(world, 'd/mine')).toBe('mine')
  })

  it('a project that is elsewhere for now, or a damaged record: nothing is done, and it is said', async () => {
    const world = await proposed('echo more >> a.txt')
    const { proposal, folder } = newest(world)
    const away = `${world.project}-away`
    renameSync(world.project, away)
    mkdirSync(path.join(world.home, 'elsewhere'))
    for (const command of ['diff', 'apply', 'undo']) {
      const args = [command, proposal.id, ...(command === 'apply' ? ['--all'] : [])]
      const { code, stderr } = await anchorhold({ ...world, project: path.join(world.home, 'elsewhere') }, args)
      expect({ command, code, stderr }).toMatchObject({ code: expect.any(Number), stderr: expect.stringMatching(/is not there \(moved/) })
      expect(code).not.toBe(0)
    }
    renameSync(away, world.project)
    const index = proposalPlaces(folder).baseIndex
    const sound = readFileSync(index, 'utf8')
    writeFileSync(index, `${sound}{half`)
    expect((await anchorhold(world, ['diff'])).stderr).toMatch(/cannot be read .* damaged/)
    writeFileSync(index, sound)
    expect((await anchorhold(world, ['apply', '--all'])).code).toBe(0)
    expect(read(world, 'a.txt')).toBe('one\nmore\n')
  })

  it('what was given back waits again, and can be applied again', async () => {
    const world = await proposed('echo more >> a.txt; rm gone.txt')
    await anchorhold(world, ['apply', '--all'])
    expect((await anchorhold(world, ['diff'])).code).toBe(125) // nothing waits
    await anchorhold(world, ['undo'])
    expect((await anchorhold(world, ['diff', '--name-only'])).stdout).toBe('a.txt\ngone.txt\n')
    expect((await anchorhold(world, ['apply', '--all'])).code).toBe(0)
    expect([read(world, 'a.txt'), existsSync(path.join(world.project, 'gone.txt'))]).toEqual(['one\nmore\n', false])
  })

  it('discard drops it, and for a week it can be had back', async () => {
    const world = await proposed('echo more >> a.txt')
    const { stdout } = await anchorhold(world, ['discard'])
    const id = /^(\S+) is discarded/.exec(stdout)?.[1] ?? ''
    expect((await anchorhold(world, ['apply', id, '--all'])).stderr).toContain('--restore')
    expect((await anchorhold(world, ['discard', '--restore', id])).code).toBe(0)
    expect((await anchorhold(world, ['apply', '--all'])).code).toBe(0)
    expect(read(world, 'a.txt')).toBe('one\nmore\n')
  })

  it("git's own files: a hook only by its name, history never", async () => {
    const world = await proposed(
      'echo "echo hi" > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; git -c user.name=t -c user.email=t@t.test commit -q --no-verify --allow-empty -m inside; git config alias.x "!sh"',
    )
    const head = git(world.project, 'rev-parse', 'HEAD')
    const config = read(world, '.git/config')
    expect((await anchorhold(world, ['apply', '--all'])).code).toBe(1)
    expect([
      existsSync(path.join(world.project, '.git/hooks/pre-commit')),
      read(world, '.git/config'),
      git(world.project, 'rev-parse', 'HEAD'),
    ]).toEqual([false, config, head])
    expect((await anchorhold(world, ['apply', '.git/hooks/pre-commit'])).code).toBe(0)
    expect(existsSync(path.join(world.project, '.git/hooks/pre-commit'))).toBe(true)
    expect(git(world.project, 'rev-parse', 'HEAD')).toBe(head)
  })
})
