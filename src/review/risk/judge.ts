// Asks every rule about one change. Used by inspect.ts. What a rule throws is a risk of its own: a change that cannot be judged is not harmless.
import type { Change, Risk } from '../../model/change.ts'
import { protectedNames } from '../../workspace/protected-names.ts'
import { dependencyDetectors } from './dependencies.ts'
import { fileDetectors } from './files.ts'
import { gitDetectors } from './git.ts'
import { leakDetectors } from './leaks.ts'
import { nameRules } from './names.ts'
import { makeMatcher } from './matcher.ts'
import type { Detector, NameRule, Seen } from './rule.ts'
import { textDetectors } from './text.ts'

const fromTheWall: readonly NameRule[] = protectedNames.map(({ glob, reason, where }) => ({
  id: 'protected-name',
  kind: 'runs',
  names: [where === 'repository' && !glob.startsWith('/') ? `/${glob}` : glob],
  reason,
  source: 'workspace/protected-names.ts',
}))

const rulesOf = makeMatcher([...fromTheWall, ...nameRules].map((rule) => ({ names: rule.names, value: rule })))

/** Every rule that reads content or the entry, in the order in which their findings are told. */
export const detectors: readonly Detector[] = [
  ...fileDetectors,
  ...gitDetectors,
  ...dependencyDetectors,
  ...leakDetectors,
  ...textDetectors,
]
const anywhere = detectors.filter(({ names }) => names === undefined)
const byNames = makeMatcher(
  detectors.flatMap((detector) => (detector.names === undefined ? [] : [{ names: detector.names, value: detector }])),
)

/** Kinds in the order in which they matter to the reader. */
const order: readonly Risk['kind'][] = ['escapes', 'runs', 'leaks', 'deceives', 'supply-chain']

/** @param seen undefined: judge by name and entry alone (for what is too much to be read) */
export function judgeChange(change: Change, seen: Seen | undefined): readonly Risk[] {
  const risks: Risk[] = []
  const look: Seen = seen ?? { change, before: '', after: '', binary: true, added: () => [], found: [], siblings: () => [] }
  const asked = new Set<Detector>([...anywhere, ...byNames(change.path)])
  for (const detector of detectors) {
    if (!asked.has(detector)) continue
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
  return rulesOf(path).length > 0
}

/** A path that something obeys, at its new name or at its old one: what was renamed is gone from there. */
function nameRisks(change: Change): readonly Risk[] {
  if (change.git === 'history') return []
  const seen = new Set<string>()
  const risks = (path: string, say: (reason: string) => string): readonly Risk[] =>
    rulesOf(path).flatMap((rule) => {
      if (seen.has(rule.kind)) return []
      seen.add(rule.kind)
      return [{ kind: rule.kind, rule: rule.id, reason: say(rule.reason) }]
    })
  return [
    ...risks(change.path, (reason) => reason),
    ...(change.from === undefined ? [] : risks(change.from, (reason) => `taken from where it was obeyed: ${reason}`)),
  ]
}
