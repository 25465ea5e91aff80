// Shows an argument list so that a person can read it and a POSIX shell would read it back as the same list.
import { plain } from './text.ts'

/** One word: bare where that is safe, else in single quotes; with control or invisible characters in `$'…'` (POSIX 2024, 2.2.4). */
export function quoteWord(word: string): string {
  if (/^[\w%+,./:=@^-]+$/.test(word)) return word
  const shown = plain(word)
  if (shown === word) return `'${word.replaceAll("'", `'\\''`)}'`
  return `$'${plain(word.replace(/['\\]/g, '\\$&')).replace(/\\u\{([0-9a-f]+)\}/g, (_, hex: string) => `\\U${hex.padStart(8, '0')}`)}'`
}

export function quoteArgv(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ')
}
