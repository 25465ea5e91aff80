// The real Claude Code runs into a budget of a few cents: it is warned, stops at once, says why, and what it wrote stays.
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { startStandin, type Standin } from '../../src/standin/start.ts'
import type { Turn } from '../../src/standin/script.ts'
import { cachedClaude, claudeData } from '../agents/claude-cache.ts'
import { anchorhold, makeWorld, start, type World } from '../support/anchorhold.ts'

beforeAll(() => cachedClaude(), 600_000)

function claudeWorld(): World {
  const world = makeWorld()
  const data = path.join(world.home, '.local/share/anchorhold')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  symlinkSync(path.join(claudeData, 'anchorhold/agents'), path.join(data, 'agents'))
  return world
}

/** Each turn costs two cents on Sonnet 4.5: 1,000 tokens of output at 15 dollars a million, and 5,000 / 3 of input at 3. */
const usage = { input: 1_667, output: 1_000, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
const write = (name: string, delay?: number): Turn => ({
  tools: [{ name: 'Bash', input: { command: `echo kept > ${name}`, description: 'write' } }],
  usage,
  ...(delay === undefined ? {} : { delay }),
})

function options({ port }: Standin): readonly string[] {
  return [
    '--mode=auto',
    '--env=ANTHROPIC_API_KEY=sk-ant-of-the-test',
    '--env=ANTHROPIC_MODEL=claude-sonnet-4-5',
    `--route=api.anthropic.com:443=http://127.0.0.1:${port}`,
  ]
}

const said = (body: string): boolean => body.includes('of the budget for this session is spent')

it('is warned at 80 %, stops at 100 % without trying again, says why, and its files are kept', async () => {
  const world = claudeWorld()
  await using standin = await startStandin({ script: ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => write(name)) })
  const { code, stdout, stderr } = await anchorhold(world, ['run', '--budget=0.07', '--json', ...options(standin), 'claude', '-p', 'go'], {
    timeoutMilliseconds: 55_000,
  })
  const turns = standin.requests.filter(({ kind }) => kind === 'turn')
  expect(turns.length, stdout + stderr).toBe(4) // 2, 4, 6 cents; the fourth is let through below 7, and none after it
  expect(code).not.toBe(0)
  expect(stdout).toMatch(/the budget for this session is spent: \$0\.08\d* of \$0\.07/)
  expect(stdout).toContain('anchorhold budget raise session=0.14')
  for (const name of ['a', 'b', 'c', 'd']) expect(readFileSync(path.join(world.project, name), 'utf8')).toBe('kept\n')
  expect(existsSync(path.join(world.project, 'e'))).toBe(false)
  expect(turns.map(({ body }) => said(body))).toEqual([false, false, false, true]) // at 6 of 7 cents
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const result = lines.at(-1) as {
    models: { requests: number; outputTokens: number; usd: number }
    budget: readonly { spent: number; limit: number }[]
  }
  expect(result.models.requests).toBe(standin.requests.filter(({ kind }) => kind === 'turn' || kind === 'side').length)
  expect(result.models.usd).toBeCloseTo(0.08, 2)
  expect(result.budget[0]?.spent).toBeCloseTo(result.models.usd, 9)
  expect(lines.filter(({ kind }) => kind === 'budget.warning').length).toBe(1)
  expect(lines.filter(({ kind }) => kind === 'budget.refused').length).toBeLessThanOrEqual(2)
  // The log of the same session, beside what the wall saw of it.
  const cost = JSON.parse((await anchorhold(world, ['cost', '--json', '--no-index'])).stdout) as {
    rows: readonly { session: string; usd: number; totalTokens: number; metered: Record<string, number> }[]
  }
  const [row] = cost.rows
  expect(cost.rows.length).toBe(1)
  expect(row?.metered).toMatchObject({ requests: result.models.requests, usd: result.models.usd })
  expect(row?.metered['differenceTokens']).toBe((row?.metered['totalTokens'] ?? 0) - (row?.totalTokens ?? 0))
  expect(row?.metered['differenceUsd']).toBeCloseTo((row?.metered['usd'] ?? 0) - (row?.usd ?? 0), 9)
  const detail = await anchorhold(world, ['cost', '--no-index', '--session', row?.session ?? ''])
  expect(detail.stdout).toMatch(
    /metered at the wall: \d+ requests, [\d.k]+ tokens, \$0\.0\d; (?:the same as in the log|difference to the log: )/,
  )
  const usages = lines.filter(({ kind }) => kind === 'model.usage')
  expect(usages.every(({ timeToFirstTokenMs }) => typeof timeToFirstTokenMs === 'number')).toBe(true)
  expect(usages.find(({ outputTokens }) => outputTokens === 1_000)).toMatchObject({
    inputTokens: 1_667,
    streamed: true,
    counted: 'told',
    api: 'anthropic-messages',
  })
})

it('goes on when the budget is raised while it runs, and says in the end what was spent', async () => {
  const world = claudeWorld()
  await using standin = await startStandin({ script: [write('a'), write('b', 1_500), { text: 'all done', usage }] })
  const running = start(world, ['run', '--budget=0.03', ...options(standin), 'claude', '-p', 'go'], { timeoutMilliseconds: 55_000 })
  const asked = async (count: number): Promise<void> => {
    while (standin.requests.filter(({ kind }) => kind === 'turn').length < count) {
      if (running.child.exitCode !== null) throw new Error((await running.outcome).stderr)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await asked(2)
  const raised = await anchorhold(world, ['budget', 'raise', '0.20'])
  expect(raised.stdout, raised.stderr).toBe('The budget for this session is $0.20 now (it was $0.03).\n')
  const { code, stdout, stderr } = await running.outcome
  expect(code, stdout + stderr).toBe(0)
  expect(stdout).toBe('all done\n')
  expect(stderr).toMatch(/anchorhold: \d+ model requests, [\d,]+ tokens, .*budget: \$0\.06\d* of \$0\.20 for the session/)
  expect((await anchorhold(world, ['budget'])).stdout).toMatch(/session \S+ +\$0\.06\d* +\$0\.00 +\$0\.20 \(raised\)/)
})
