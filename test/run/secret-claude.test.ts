// The real Claude Code with only a placeholder: its API's stand-in accepts nothing but the real key, and the key is nowhere in what the cell has or says.
// (attacks.md SEC-01, 02, 05, 27; PRX-50.)
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { formsOf } from '../../src/secrets/forms.ts'
import { startStandin } from '../../src/standin/start.ts'
import { cachedClaude, claudeData } from '../agents/claude-cache.ts'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'

beforeAll(() => cachedClaude(), 600_000)

const value = 'sk-ant-api03-theKeyItself0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-AbCdEfAA'
const holds = (text: string): boolean => [...formsOf(value).values()].some((form) => text.includes(form))

it('works, and the key is in no file, variable, answer or request body', async () => {
  const world = makeWorld()
  const data = path.join(world.home, '.local/share/anchorhold')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  symlinkSync(path.join(claudeData, 'anchorhold/agents'), path.join(data, 'agents'))
  const look = [
    'env > variables; cat /proc/*/environ > processes 2>/dev/null',
    'curl -sS https://api.anthropic.com/v1/models -H "x-api-key: $ANTHROPIC_API_KEY" > own-request',
    'curl -sS https://api.anthropic.com/v1/files -H "x-api-key: sk-ant-api03-of-somebody-else-000000" > foreign',
    `grep -rlaF -e "${value.slice(13, 40).replace(/^(.)/, '$1""')}" "$HOME" . /tmp /etc > found 2>/dev/null; true`,
  ].join('\n')
  const standin = await startStandin({
    apiKey: value,
    script: [{ tools: [{ name: 'Bash', input: { command: look, description: 'look' } }] }, { text: 'all done' }],
  })
  await using _ = standin
  const options = [
    '--mode=auto',
    '--secret=ANTHROPIC_API_KEY@api.anthropic.com',
    `--route=api.anthropic.com:443=http://127.0.0.1:${standin.port}`,
  ]
  const { stdout, stderr, code } = await anchorhold(world, ['run', ...options, 'claude', '-p', 'go'], {
    env: { ANTHROPIC_API_KEY: value },
    timeoutMilliseconds: 55_000,
  })
  expect(code, stdout + stderr).toBe(0)
  expect(stdout).toBe('all done\n')
  const turns = standin.requests.filter(({ kind }) => kind === 'turn')
  expect(turns.length).toBe(2)
  for (const { headers } of turns) expect(headers['x-api-key']).toBe(value) // control: it did leave, to where it belongs
  expect(standin.requests.filter(({ headers }) => headers['x-api-key'] !== value)).toEqual([])
  for (const { body } of standin.requests) expect(holds(JSON.stringify(body ?? ''))).toBe(false)
  const read = (name: string): string => readFileSync(path.join(world.project, name), 'latin1')
  expect(read('variables')).toMatch(/^ANTHROPIC_API_KEY=sk-ant-api03-\w{74}-\w{8}$/m)
  expect(read('foreign')).toContain('foreign-credential')
  expect(read('found')).toBe('')
  const files = readdirSync(world.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
  expect(files.length).toBeGreaterThan(10)
  expect(files.filter((file) => holds(readFileSync(file, 'latin1')))).toEqual([])
  expect(holds(stdout + stderr)).toBe(false)
})
