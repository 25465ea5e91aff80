// Reads command lines of `run` that hold nothing unusual, without the library for command lines: loading and using it takes a start some five
// milliseconds. Whatever is not plain here (help, mistakes, their wording) is the library's. test/commands/run-line.test.ts holds them together.
import { runOptions } from './run-options.ts'

export interface RunLine {
  readonly first: string | undefined
  readonly rest: readonly string[]
  readonly flags: Readonly<Record<string, unknown>>
}

/** The words after `run`; undefined where the library has to read them. */
export function plainLine(words: readonly string[]): RunLine | undefined {
  const flags: Record<string, unknown> = {}
  let at = 0
  for (; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (word === '--') return { first: words[at + 1], rest: words.slice(at + 2), flags }
    if (!word.startsWith('-') || word === '-') return { first: word, rest: words.slice(at + 1), flags }
    const [, name, , inline] = /^--([a-z][a-z-]*)(=(.*))?$/s.exec(word) ?? []
    const option = runOptions.find(({ flags: known }) => known.split(' ', 1)[0] === `--${name}`)
    if (name === undefined || option === undefined) return undefined
    const key = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    if (option.take === undefined) {
      if (inline !== undefined) return undefined
      flags[key] = true
      continue
    }
    const value = inline ?? words[(at += 1)]
    if (value === undefined) return undefined
    try {
      flags[key] = option.take(value, flags[key] as never)
    } catch {
      return undefined // what is wrong with it, the library says
    }
  }
  return { first: undefined, rest: [], flags }
}
