// Three-way look at one git configuration: as it was lent, as the cell left it, as it is now. Only additions that neither run code nor
// redirect what was there are taken over; all else is held. Pure.
import { formatGitConfig, parseGitConfig, type ConfigEntry } from './git-config.ts'
import { judgeEntry, type GitPlace } from './git-harmless.ts'

export interface Merge {
  /** Entries to write behind the real file. */
  readonly take: readonly ConfigEntry[]
  /** Entries that stay out. */
  readonly hold: readonly ConfigEntry[]
  /** Keys that the cell removed; they stay. */
  readonly removed: readonly string[]
}

const groups: ReadonlySet<string> = new Set(['remote', 'branch', 'submodule'])

export function mergeConfigs(
  start: readonly ConfigEntry[],
  left: readonly ConfigEntry[],
  now: readonly ConfigEntry[],
  place: GitPlace,
): Merge {
  const before = valuesByKey(start)
  const after = valuesByKey(left)
  const present = valuesByKey(now)
  const changed = left.filter(
    (entry) => !same(before.get(entry.key), after.get(entry.key)) && !same(present.get(entry.key), after.get(entry.key)),
  )
  const existing = new Set([...start, ...now].map(groupOf))
  const sound = (entry: ConfigEntry) =>
    groups.has(entry.section) &&
    entry.subsection !== undefined &&
    !before.has(entry.key) &&
    !present.has(entry.key) &&
    judgeEntry(entry, place) === 'harmless'
  // A remote or submodule is taken over whole and only when it is new: a key added to an existing one would redirect it.
  const badGroups = new Set(
    changed.filter((entry) => entry.section !== 'branch' && (!sound(entry) || existing.has(groupOf(entry)))).map(groupOf),
  )
  const remotes = new Set([
    '.',
    ...[...now, ...changed.filter((entry) => !badGroups.has(groupOf(entry)))]
      .filter(({ section }) => section === 'remote')
      .map(({ subsection }) => subsection),
  ])
  const badBranches = new Set(
    changed
      .filter((entry) => entry.section === 'branch' && (!sound(entry) || (entry.name === 'remote' && !remotes.has(entry.value))))
      .map(groupOf),
  )
  const take = changed.filter((entry) => groups.has(entry.section) && !badGroups.has(groupOf(entry)) && !badBranches.has(groupOf(entry)))
  const taken = new Set(take)
  return {
    take,
    hold: changed.filter((entry) => !taken.has(entry)),
    removed: [...before.keys()].filter((key) => !after.has(key) && present.has(key)),
  }
}

/** The real file's text with the entries behind it; undefined where that would change the meaning of what is there. */
export function appendEntries(text: string, take: readonly ConfigEntry[]): string | undefined {
  const block = `${text === '' || text.endsWith('\n') ? '' : '\n'}${formatGitConfig(take)}`
  const old = parseGitConfig(text)
  const both = parseGitConfig(text + block)
  if (!old.ok || !both.ok) return undefined
  const expected = [...old.entries, ...take]
  const equal =
    both.entries.length === expected.length &&
    both.entries.every((entry, index) => entry.key === expected[index]?.key && entry.value === expected[index]?.value)
  return equal ? block : undefined
}

function groupOf(entry: ConfigEntry): string {
  return `${entry.section}\n${entry.subsection ?? ''}`
}

function valuesByKey(entries: readonly ConfigEntry[]): ReadonlyMap<string, readonly (string | undefined)[]> {
  const values = new Map<string, (string | undefined)[]>()
  for (const { key, value } of entries) values.set(key, [...(values.get(key) ?? []), value])
  return values
}

function same(a: readonly (string | undefined)[] | undefined, b: readonly (string | undefined)[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((value, index) => value === b[index])
}
