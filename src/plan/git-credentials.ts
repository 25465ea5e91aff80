// The plan's part for git: inside, git finds the placeholder of a token by itself, without a word of configuration by the agent. Pure.
import type { SecretRule } from '../model/secret.ts'

/**
 * Variables that give git a credential helper for each host of a token (git-config, GIT_CONFIG_COUNT; gitcredentials). The helper prints a variable
 * of the cell, which is a placeholder. `env`: what is set already; entries of its own stay in front.
 */
export function gitCredentials(secrets: readonly SecretRule[], env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const first = /^\d{1,4}$/.test(env['GIT_CONFIG_COUNT'] ?? '') ? Number(env['GIT_CONFIG_COUNT']) : 0
  const lines = secrets.flatMap(({ name, hosts, git }) =>
    git === undefined
      ? []
      : hosts.flatMap(({ pattern, port }) => {
          const host = pattern.kind === 'host' ? pattern.host : `*.${pattern.suffix}`
          // The path is not given to helpers unless asked for; one token for each host is what can be told apart this way.
          const key = `credential.https://${host}${port === 443 ? '' : `:${port}`}.helper`
          return [[key, `!f() { test "$1" != get || printf 'username=%s\\npassword=%s\\n' ${git.username} "$${name}"; }; f`] as const]
        }),
  )
  if (lines.length === 0) return {}
  const pairs = lines.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${first + at}`, key],
    [`GIT_CONFIG_VALUE_${first + at}`, value],
  ])
  return Object.fromEntries([['GIT_CONFIG_COUNT', String(first + lines.length)], ...pairs])
}
