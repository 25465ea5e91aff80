// Completion scripts follow the tree of commands; bash's is tried in a real bash.
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { capture } from '../../src/host/process.ts'
import { completionScript } from '../../src/report/completion.ts'

function program(): Command {
  const root = new Command('anchorhold').version('1.0.0')
  root
    .command('run')
    .summary("an agent's run: it's walled")
    .argument('[args...]')
    .option('--mode <mode>', 'how much')
    .option('--allow <host>', 'a host')
    .option('-q, --quiet', 'say little')
  const sessions = root.command('sessions').description('list').option('--json', 'machine')
  sessions.command('prune').description('remove').option('--days <n>', 'age')
  return root
}

/** What bash would offer for a line of words, the last one unfinished. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const script = `${completionScript('bash', program())}\nshift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anchorhold; printf '%s\\n' "\${COMPREPLY[@]}"`
  const done = await capture(['bash', '--norc', '-euc', script, 'bash', '-', 'anchorhold', ...words])
  expect(done.stderr).toBe('')
  return done.stdout.split('\n').filter((line) => line !== '')
}

test('bash offers commands, subcommands, options and values', async () => {
  expect(await offered('')).toEqual(expect.arrayContaining(['run', 'sessions', '--version', '--help']))
  expect(await offered('s')).toEqual(['sessions'])
  expect(await offered('run', '--')).toEqual(['--mode', '--allow', '--quiet', '--help'])
  expect(await offered('run', '--mode', 'a')).toEqual(['ask', 'allow-listed', 'auto'].filter((mode) => mode.startsWith('a')))
  expect(await offered('sessions', '')).toEqual(expect.arrayContaining(['prune', '--json']))
  expect(await offered('sessions', 'prune', '--d')).toEqual(['--days'])
  expect(await offered('run', '--allow', 'a.test', '--q')).toEqual(['--quiet'])
  expect(await offered('run', 'claude', '--al')).toEqual([])
  expect(await offered('run', '--', '--al')).toEqual([])
})

test('zsh and fish name every command and option, quotes intact', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(shell, program())
    for (const word of ['run', 'sessions', 'prune', 'mode', 'allow', 'quiet', 'days', 'json', 'allow-listed'])
      expect(script).toContain(word)
  }
  expect(completionScript('zsh', program())).toContain(`'run:an agent'\\''s run: it'\\''s walled'`)
  expect(completionScript('fish', program())).toContain(`'an agent\\'s run: it\\'s walled'`)
})
