// A start that fails in one phase while another is still under way: one rendered failure and 125, never a stack trace.
import { execFileSync } from 'node:child_process'
import { beforeAll, expect, it } from 'vitest'
import { cachedClaude, claudeData } from '../agents/claude-cache.ts'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'

beforeAll(() => cachedClaude(), 600_000)

it('CFG-07 a project that cannot be protected, found out while the agent is being looked for', async () => {
  const world = makeWorld()
  // A protected name below a folder whose name is no UTF-8.
  execFileSync('perl', ['-e', 'mkdir "a\\xff" and mkdir "a\\xff/.vscode" or die $!'], { cwd: world.project })
  const { code, stdout, stderr } = await anchorhold(world, ['run', 'claude', '--version'], { env: { XDG_DATA_HOME: claudeData } })
  expect({ code, stdout }).toEqual({ code: 125, stdout: '' })
  expect(stderr).toMatch(/^anchorhold: The project could not be searched for protected paths/)
  expect(stderr).not.toMatch(/^\s+at /m)
})
