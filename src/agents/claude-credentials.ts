// Claude Code's credentials on the host, in the order in which it would take them itself: they are bound to its API and put in by the gateway.
import { lstatSync } from 'node:fs'
import path from 'node:path'
import type { AgentContext } from '../model/agent.ts'
import type { CanonicalHost, Origin } from '../model/policy.ts'
import type { SecretRule, SecretSource } from '../model/secret.ts'
import { claudeFolder } from './claude-folder.ts'

/** What it reads a credential from; the last one is for a login too, whose access token goes the same way. */
const variables = ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'] as const
/** With an address of the user's own, its credential is not for Anthropic. */
const addresses = ['ANTHROPIC_BASE_URL', 'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY']

const origin: Origin = { kind: 'preset', source: 'claude' }

export async function claudeSecrets(
  context: Pick<AgentContext, 'hostEnv' | 'hostHome'> & { readonly taken: ReadonlySet<string> },
): Promise<readonly SecretRule[]> {
  const { hostEnv, taken } = context
  if ([...variables, ...addresses].some((name) => taken.has(name))) return []
  const set = variables.find((name) => (hostEnv[name] ?? '') !== '')
  if (set !== undefined) return [bound(set, { kind: 'env', variable: set })]
  const file = path.join(claudeFolder(context), '.credentials.json')
  return lstatSync(file, { throwIfNoEntry: false }) === undefined
    ? []
    : [{ ...bound('CLAUDE_CODE_OAUTH_TOKEN', { kind: 'login', format: 'claude', path: file }), optional: true }]
}

function bound(name: string, from: SecretSource): SecretRule {
  const host = 'api.anthropic.com' as CanonicalHost
  return { name, from, hosts: [{ pattern: { kind: 'host', host }, port: 443 }], where: ['header'], origin }
}
