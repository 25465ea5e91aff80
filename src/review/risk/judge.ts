// Asks every rule about one change. Used by inspect.ts. What a rule throws is a risk of its own: a change that cannot be judged is not harmless.
import type { Change, Risk } from '../../model/change.ts'
import { protectedNames } from '../../workspace/protected-names.ts'
import { dependencyDetectors } from './dependencies.ts'
import { fileDetectors } from './files.ts'
import { gitDetectors } from './git.ts'
import { leakDetectors } from './leaks.ts'
import { nameRules } from './names.ts'
import { namesPattern, type Detector, type NameRule, type Seen } from './rule.ts'
import { textDetectors } from './text.ts'

const fromTheWall: readonly NameRule[] = protectedNames.map(({ glob, reason, where }) => ({
  id: 'protected-name',
  kind: 'runs',
  names: [where === 'repository' && !glob.startsWith('/') ? `/${glob}` : glob],
  reason,
  source: 'workspace/protected-names.ts',
}))

const byName = [...fromTheWall, ...nameRules].map((rule) => ({ rule, pattern: namesPattern(rule.names) }))
/** Most paths match nothing: one look tells. */
const anyName = new RegExp(byName.map(({ pattern }) => pattern.source).join('|'), 'i')

/** Every rule that reads content or the entry, in the order in which their findings are told. */
export const detectors: readonly Detector[] = [
  ...fileDetectors,
  ...gitDetectors,
  ...dependencyDetectors,
  ...leakDetectors,
  ...textDetectors,
]
const byContent = detectors.map((detector) => ({
  detector,
  pattern: detector.names === undefined ? undefined : namesPattern(detector.names),
}))

/** Kinds in the order in which they matter to the reader. */
const order: readonly Risk['kind'][] = ['escapes', 'runs', 'leaks', 'deceives', 'supply-chain']

/** @param seen undefined: judge by name and entry alone (for what is too much to be read) */
export function judgeChange(change: Change, seen: Seen | undefined): readonly Risk[] {
  const risks: Risk[] = []
  const look: Seen = seen ?? { change, before: '', after: '', binary: true, added: () => [], found: [], siblings: () => [] }
  for (const { detector, pattern } of byContent) {
    if (pattern !== undefined && !pattern.test(change.path)) continue
    try {
      for (const found of detector.detect(look)) risks.push({ kind: detector.kind, rule: detector.id, ...found })
    } catch (error) {
      risks.push({
        kind: detector.kind,
        rule: detector.id,
        reason: `could not be judged (${error instanceof Error ? error.message : String(error)})`,
      })
    }
  }
  risks.push(...nameRisks(change))
  return risks.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
}

/** Whether the name alone is one that something obeys: for paths of which nobody sees the content. */
export function isRiskyName(path: string): boolean {
  return anyName.test(path)
}

/** A path that something obeys, at its new name or, where it was taken away, at its old one. */
function nameRisks(change: Change): readonly Risk[] {
  if (change.git === 'history' || !anyName.test(change.path)) return []
  const seen = new Set<string>()
  return byName.flatMap(({ rule, pattern }) => {
    if (seen.has(rule.kind) || !pattern.test(change.path)) return []
    seen.add(rule.kind)
    return [{ kind: rule.kind, rule: rule.id, reason: rule.reason }]
  })
}
