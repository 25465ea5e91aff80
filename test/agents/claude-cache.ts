// One copy of Claude Code for every test of this user, kept between runs: $ANCHORHOLD_TEST_CACHE or ~/.cache/anchorhold-test.
import { homedir } from 'node:os'
import path from 'node:path'
import { claudeDistribution } from '../../src/agents/claude.ts'
import type { Installation } from '../../src/agents/installation.ts'
import { installCopy } from '../../src/agents/own-copy.ts'

/** The `XDG_DATA_HOME` that holds it. */
export const claudeData: string = path.join(
  process.env['ANCHORHOLD_TEST_CACHE'] ?? path.join(homedir(), '.cache', 'anchorhold-test'),
  'data',
)

/** Installed at the first call on a machine; some seconds and 400 MB. */
export function cachedClaude(): Promise<Installation> {
  return installCopy(claudeDistribution, 'Claude Code', { hostEnv: { ...process.env, XDG_DATA_HOME: claudeData }, hostHome: homedir() })
}
