// Finds which of many name patterns a path meets, by looking words up instead of trying each: a proposal may have thousands of paths, and a diff
// of ten should take no longer than its start. Pure; meanings are those of NameRule.names in rule.ts.
import { namesPattern } from './rule.ts'

/** Values of every pattern that the path meets, in the order in which they were given. */
export type Matcher<T> = (path: string) => readonly T[]

export function makeMatcher<T>(entries: readonly { readonly names: readonly string[]; readonly value: T }[]): Matcher<T> {
  /** Whole parts of a path, `a/b` too, in lower case; those that must be at the top with a slash before. */
  const words = new Map<string, number[]>()
  /** Ends of one part, from a dot on. */
  const endings = new Map<string, number[]>()
  const globs = new Map<number, string[]>()
  const put = (map: Map<string, number[]>, key: string, index: number): void => void map.set(key, [...(map.get(key) ?? []), index])
  for (const [index, { names }] of entries.entries()) {
    for (const name of names.map((each) => each.toLowerCase())) {
      if (!name.includes('*')) put(words, name, index)
      else if (/^\*(?:\.[^*/.]+)+$/.test(name)) put(endings, name.slice(1), index)
      else globs.set(index, [...(globs.get(index) ?? []), name])
    }
  }
  let patterns: readonly { readonly index: number; readonly pattern: RegExp }[] | undefined
  let any: RegExp | undefined
  return (path) => {
    const parts = path.toLowerCase().split('/')
    const met = new Set<number>()
    const add = (indexes: readonly number[] | undefined): void => indexes?.forEach((index) => met.add(index))
    for (const [at, part] of parts.entries()) {
      for (let length = 1; length <= 3 && at + length <= parts.length; length += 1) {
        const joined = parts.slice(at, at + length).join('/')
        add(words.get(joined))
        if (at === 0) add(words.get(`/${joined}`))
      }
      for (let dot = part.indexOf('.'); dot >= 0; dot = part.indexOf('.', dot + 1)) add(endings.get(part.slice(dot)))
    }
    any ??= namesPattern([...globs.values()].flat())
    if (any.test(path)) {
      patterns ??= [...globs].map(([index, names]) => ({ index, pattern: namesPattern(names) }))
      for (const { index, pattern } of patterns) if (pattern.test(path)) met.add(index)
    }
    return [...met].toSorted((a, b) => a - b).flatMap((index) => entries[index]?.value ?? [])
  }
}
