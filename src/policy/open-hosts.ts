// Policy: allowed names below which anybody can publish, or collect. A rule for them is obeyed and warned of (attacks.md PRX-54). Asked by load.ts.
import type { CanonicalHost, HostPattern, HostRule } from '../model/policy.ts'
import { matches, originText, ruleText } from './judge.ts'
import { openPlaces, type OpenKind } from './open-places.ts'

/** One line for each rule of a user, project or flag that opens such a place; presets are ours to answer for. */
export function openHostNotes(rules: readonly HostRule[]): readonly string[] {
  return rules
    .filter((rule) => isWritten(rule) && isShared(rule.pattern))
    .map((rule) => {
      const name = ruleText(rule)
      return `${name} (${originText(rule.origin)}): anybody can publish there or receive what is sent there. Name the one host that is needed, where there is one.`
    })
}

/** An allow that a person wrote, as against a preset's. */
export function isWritten({ effect, origin }: HostRule): boolean {
  return effect === 'allow' && origin.kind !== 'preset' && origin.kind !== 'built-in'
}

/** Places that are open by their nature; the rest (a forge, a chat) has honest uses of its own, and is told by `policy check` alone. */
const atEachStart: ReadonlySet<OpenKind> = new Set(['store', 'site', 'tunnel', 'content', 'paste', 'bin', 'webhook'])

/** Whether a pattern names, or covers, a place where strangers have names or texts of their own. */
export function isShared(pattern: HostPattern): boolean {
  return openPlacesOf(pattern).some(({ kind }) => atEachStart.has(kind))
}

/** Every open place that a pattern names or covers. */
export function openPlacesOf(pattern: HostPattern): readonly { readonly host: string; readonly kind: OpenKind }[] {
  if (pattern.kind === 'host') {
    const { host } = pattern
    const kind = openPlaces.get(host) ?? kindAbove(host)
    return kind === undefined ? [] : [{ host, kind }]
  }
  const { suffix } = pattern
  const above = openPlaces.get(suffix) ?? kindAbove(suffix)
  const below = [...openPlaces].filter(([host]) => matches(pattern, host as CanonicalHost)).map(([host, kind]) => ({ host, kind }))
  return above === undefined ? below : [{ host: suffix, kind: above }, ...below]
}

/** Names below a request bin or a tunnel are made on the spot: none of them is better than the place itself. */
function kindAbove(host: string): OpenKind | undefined {
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    const kind = openPlaces.get(host.slice(dot + 1))
    if (kind === 'bin' || kind === 'tunnel') return kind
  }
  return undefined
}
