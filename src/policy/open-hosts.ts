// Policy: allowed names below which anybody can publish, or collect. A rule for them is obeyed and warned of (attacks.md PRX-54). Data; asked by load.ts.
import type { CanonicalHost, HostPattern, HostRule } from '../model/policy.ts'
import { matches, originText, ruleText } from './judge.ts'

/** Hosts and suffixes that hold strangers' content. A star above a public suffix is refused before (host-rule.ts); these are what it leaves. */
const shared: readonly string[] = [
  'amazonaws.com',
  'azureedge.net',
  'blob.core.windows.net',
  'core.windows.net',
  'digitaloceanspaces.com',
  'discord.com',
  'gist.github.com',
  'gist.githubusercontent.com',
  'githubusercontent.com',
  'googleapis.com',
  'googleusercontent.com',
  'herokuapp.com',
  'hooks.slack.com',
  'netlify.app',
  'ngrok.io',
  'pastebin.com',
  'raw.githubusercontent.com',
  's3.amazonaws.com',
  'storage.googleapis.com',
  'vercel.app',
  'windows.net',
  'workers.dev',
]

/** One line for each rule of a user, project or flag that opens such a place; presets are ours to answer for. */
export function openHostNotes(rules: readonly HostRule[]): readonly string[] {
  return rules.filter(isOpen).map((rule) => {
    const name = ruleText(rule)
    return `${name} (${originText(rule.origin)}): anybody can publish there or receive what is sent there. Name the one host that is needed, where there is one.`
  })
}

function isOpen({ effect, origin, pattern }: HostRule): boolean {
  if (effect !== 'allow' || origin.kind === 'preset' || origin.kind === 'built-in') return false
  return isShared(pattern)
}

/** Whether a pattern names, or covers, a place of strangers. */
export function isShared(pattern: HostPattern): boolean {
  if (pattern.kind === 'host') return shared.includes(pattern.host)
  return shared.some((host) => host === pattern.suffix || host.endsWith(`.${pattern.suffix}`) || matches(pattern, host as CanonicalHost))
}
