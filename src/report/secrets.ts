// Takes the caller's secrets out of a plan before it is shown: by name, by shape, and wherever their values occur again.
// Used by dry-run.ts only.
import { namesCredential, redact } from '../session/redact.ts'

export interface Hide {
  /** Value of one variable, as it may be shown. */
  variable(name: string, value: string): string
  /** Any text: known secret values and credential shapes go. */
  text(text: string): string
  /** An argument list: also `NAME=VALUE` and `--setenv NAME VALUE` of secret variables. */
  argv(argv: readonly string[]): readonly string[]
  /** The content of an input: argument lists, JSON and text. */
  content(content: string): string
}

const mark = '[redacted]'
const placeholder = '[placeholder]'

/**
 * `passed`: names taken from the caller's own environment (`--env NAME`), always hidden. `placeholders`: names of secrets, whose variables hold
 * something worthless, which is new in the next run.
 */
export function hideSecrets(env: Readonly<Record<string, string>>, passed: readonly string[], placeholders: readonly string[] = []): Hide {
  const secretNames = new Set(
    Object.keys(env).filter((name) => passed.includes(name) || namesCredential(name) || redact(env[name] ?? '') !== (env[name] ?? '')),
  )
  // Longest first, so that no secret's rest stays where one holds another. Very short ones are hidden by name only.
  const values = [...new Set([...secretNames].map((name) => env[name] ?? ''))]
    .filter((value) => value.length >= 4)
    .sort((a, b) => b.length - a.length)

  const stand = placeholders.flatMap((name) => env[name] ?? [])
  const plainly = (whole: string): string => stand.reduce((result, value) => result.replaceAll(value, placeholder), whole)
  const text = (whole: string) => redact(values.reduce((result, value) => result.replaceAll(value, mark), plainly(whole)))
  const argv = (list: readonly string[]) =>
    list.map((word, index) => {
      const name = /^([A-Za-z_]\w*)=/.exec(word)?.[1]
      if (name !== undefined && placeholders.includes(name)) return `${name}=${placeholder}`
      if (name !== undefined && secretNames.has(name)) return `${name}=${mark}`
      const follows = list[index - 2] === '--setenv' && secretNames.has(list[index - 1] ?? '')
      const flagged = /^--?[\w-]*(?:key|token|secret|passw\w*|credential)[\w-]*$/i.test(list[index - 1] ?? '') && !word.startsWith('-')
      if (placeholders.includes(list[index - 1] ?? '') && stand.includes(word)) return placeholder
      return follows || flagged ? mark : text(word)
    })
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return argv([value])[0]
    if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? argv(value) : value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        placeholders.includes(key) ? placeholder : secretNames.has(key) ? mark : walk(inner),
      ]),
    )
  }
  return {
    variable: (name, value) => (placeholders.includes(name) ? placeholder : secretNames.has(name) ? mark : text(value)),
    text,
    argv,
    content: (content) => {
      const parsed = parseJson(content)
      if (parsed !== undefined) return JSON.stringify(walk(parsed))
      const separator = content.includes('\0') ? '\0' : '\n'
      return argv(content.split(separator)).join(separator)
    },
  }
}

function parseJson(content: string): object | undefined {
  try {
    const value: unknown = JSON.parse(content)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
