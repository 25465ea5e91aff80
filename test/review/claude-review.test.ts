// The whole of a review as a user does it: the real Claude Code (on the stand-in for its API) proposes an edit in two places, a deletion, a
// rename, a binary, a new executable and a planted hook; in a terminal they are read, picked by hunk, applied and taken back.
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { startStandin } from '../../src/standin/start.ts'
import { cachedClaude, claudeData } from '../agents/claude-cache.ts'
import { anchorhold } from '../support/anchorhold.ts'
import { git, gitWorld, writeFiles } from '../support/repository.ts'
import { foreignControls, openTerminal } from '../support/terminal.ts'
import { fingerprint } from './world.ts'

beforeAll(() => cachedClaude(), 600_000)

const text = Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join('')
const key = 'sk-ant-api03-theKeyItself0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-AbCdEfAA'

it('Claude proposes; the user reads, picks by hunk, applies and takes back, all in a terminal', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'src/long.txt': text, 'gone.txt': 'gone\n', 'docs/old.md': `# title\n${text}` })
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'second')
  const data = path.join(world.home, '.local/share/anchorhold')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  symlinkSync(path.join(claudeData, 'anchorhold/agents'), path.join(data, 'agents'))
  const before = fingerprint(world.project)
  const work = [
    `sed -i 's/^line 2$/second/; s/^line 35$/thirty-fifth/' src/long.txt`,
    'rm gone.txt',
    'git mv docs/old.md docs/new.md',
    `printf '\\000\\001\\002' > picture.bin`,
    `printf '#!/bin/sh\\necho hi\\n' > tool.sh; chmod +x tool.sh`,
    `printf '#!/bin/sh\\ntouch /tmp/fired\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit`,
    `printf 'plain\\033[2Jtext\\n' > notes.txt`,
  ].join('; ')
  await using standin = await startStandin({
    apiKey: key,
    script: [{ tools: [{ name: 'Bash', input: { command: work, description: 'work' } }] }, { text: 'all done' }],
  })
  const options = [
    '--workspace=review',
    '--mode=auto',
    '--secret=ANTHROPIC_API_KEY@api.anthropic.com',
    `--route=api.anthropic.com:443=http://127.0.0.1:${standin.port}`,
  ]
  const ran = await anchorhold(world, ['run', ...options, 'claude', '-p', 'go'], {
    env: { ANTHROPIC_API_KEY: key },
    timeoutMilliseconds: 90_000,
  })
  expect(ran).toMatchObject({ code: 0, stdout: 'all done\n' })
  expect(ran.stderr).toMatch(/7 files changed, 3 need your eyes/)
  expect(fingerprint(world.project)).toBe(before)

  const terminal = openTerminal({ ...world, env: { ...world.env, PAGER: 'cat' } })
  await terminal.see('outer> ')
  terminal.type('anchorhold diff\n')
  const shown = await terminal.see('need your eyes')
  expect(shown).toMatch(/runs on your machine: with git: the hook pre-commit/)
  expect(shown).toMatch(/renamed docs\/old\.md/)
  expect(shown).toContain('plain\\x1b[2Jtext')
  expect(foreignControls(shown.replaceAll('\u00e2\u0086\u0092', '').replaceAll('\u00e2\u0080\u00a6', ''))).toEqual([])

  terminal.type('anchorhold apply\n')
  const answer = async (name: string, letter: string): Promise<void> => {
    await terminal.see(`Apply ${name}?`)
    await terminal.see('] ')
    terminal.type(`${letter}\n`)
  }
  await answer('.git/hooks/pre-commit', 'n')
  await answer('notes.txt', 'n')
  await answer('tool.sh', 'y')
  await answer('docs/new.md', 'y')
  await answer('gone.txt', 'y')
  await answer('picture.bin', 'y')
  await answer('src/long.txt', 'h')
  await terminal.see('+second')
  await answer('this hunk of src/long.txt', 'y')
  await terminal.see('+thirty-fifth')
  await terminal.see('] ')
  terminal.type('n\n')
  await terminal.see('5 changes applied, 3 left')
  const read = (name: string): string => readFileSync(path.join(world.project, name), 'utf8')
  expect(read('src/long.txt')).toBe(text.replace('line 2\n', 'second\n'))
  expect([
    existsSync(path.join(world.project, 'gone.txt')),
    existsSync(path.join(world.project, 'docs/old.md')),
    read('docs/new.md'),
  ]).toEqual([false, false, `# title\n${text}`])
  expect(statSync(path.join(world.project, 'tool.sh')).mode & 0o777).toBe(0o755)
  expect(readFileSync(path.join(world.project, 'picture.bin'))).toEqual(Buffer.from([0, 1, 2]))
  expect(existsSync(path.join(world.project, '.git/hooks/pre-commit'))).toBe(false)

  terminal.type('anchorhold diff --stat\n')
  expect(await terminal.see('need your eyes')).toMatch(/src\/long\.txt[\s\S]*3 files changed/)
  terminal.type('anchorhold undo\n')
  await terminal.see('the proposal waits again')
  expect([read('src/long.txt'), read('gone.txt'), existsSync(path.join(world.project, 'tool.sh'))]).toEqual([text, 'gone\n', false])
  expect(git(world.project, 'status', '--porcelain')).toBe('')
}, 240_000)
