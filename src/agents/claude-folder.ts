// Where Claude Code keeps its files on the host. Used by claude.ts and claude-credentials.ts.
import path from 'node:path'
import type { AgentContext } from '../model/agent.ts'

export function claudeFolder({ hostEnv, hostHome }: Pick<AgentContext, 'hostEnv' | 'hostHome'>): string {
  const own = hostEnv['CLAUDE_CONFIG_DIR']
  return own !== undefined && path.isAbsolute(own) ? own : path.join(hostHome, '.claude')
}
