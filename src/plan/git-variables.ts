// The plan's part for git: settings by variable (git-config, GIT_CONFIG_COUNT), so that no configuration is written inside. Pure.
import type { Mount } from '../model/plan.ts'
import type { SecretRule } from '../model/secret.ts'

type Setting = readonly [key: string, value: string]

/** `env`: what is set already; entries of its own stay in front. */
export function gitVariables(settings: readonly Setting[], env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (settings.length === 0) return {}
  const first = /^\d{1,4}$/.test(env['GIT_CONFIG_COUNT'] ?? '') ? Number(env['GIT_CONFIG_COUNT']) : 0
  const pairs = settings.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${first + at}`, key],
    [`GIT_CONFIG_VALUE_${first + at}`, value],
  ])
  return Object.fromEntries([['GIT_CONFIG_COUNT', String(first + settings.length)], ...pairs])
}

/**
 * A credential helper for each host of a token (gitcredentials), so that git finds its placeholder by itself: the helper prints a variable of the
 * cell, which is one.
 */
export function credentialSettings(secrets: readonly SecretRule[]): readonly Setting[] {
  return secrets.flatMap(({ name, hosts, git }) =>
    git === undefined
      ? []
      : hosts.map(({ pattern, port }): Setting => {
          const host = pattern.kind === 'host' ? pattern.host : `*.${pattern.suffix}`
          // The path is not given to helpers unless asked for; one token for each host is what can be told apart this way.
          const key = `credential.https://${host}${port === 443 ? '' : `:${port}`}.helper`
          return [key, `!f() { test "$1" != get || printf 'username=%s\\npassword=%s\\n' ${git.username} "$${name}"; }; f`]
        }),
  )
}

/** To find a file takes overlayfs half as long again as the disk's own file system; with this git reads no folder again that nobody wrote to. */
export function viewSettings(mounts: readonly Mount[]): readonly Setting[] {
  return mounts.some(({ kind }) => kind === 'overlay') ? [['core.untrackedCache', 'true']] : []
}
