// Reads and writes git's configuration syntax as git's own parser does (git-config(1), "Syntax"; config.c of git 2.39). Pure.
// Text is latin1: one character per byte, so that nothing is lost on the way through.

export interface ConfigEntry {
  /** Section and name in lower case, the subsection as written: `remote.Origin.url`. */
  readonly key: string
  readonly section: string
  readonly subsection: string | undefined
  readonly name: string
  /** undefined for a key without `=`, which means true. */
  readonly value: string | undefined
}

export type ParsedConfig =
  | { readonly ok: true; readonly entries: readonly ConfigEntry[] }
  | { readonly ok: false; readonly line: number; readonly entries: readonly ConfigEntry[] }

/** Every entry in order. Where git would refuse the file, `ok` is false and `line` says where (1-based). */
export function parseGitConfig(text: string): ParsedConfig {
  const source = new Source(text)
  const entries: ConfigEntry[] = []
  const head: Head = { section: '', subsection: undefined, prefix: '' }
  for (;;) {
    const c = source.next()
    if (c === '\n') {
      if (source.ended) return { ok: true, entries }
      continue
    }
    if (isSpace(c)) continue
    if (c === '#' || c === ';') source.skipLine()
    else if (c === '[') {
      if (!readHead(source, head)) return { ok: false, line: source.line, entries }
    } else {
      const entry = isLetter(c) ? readEntry(source, c, head) : undefined
      if (entry === undefined) return { ok: false, line: source.line, entries }
      entries.push(entry)
    }
  }
}

interface Head {
  section: string
  subsection: string | undefined
  prefix: string
}

/** Characters as git sees them: CR LF is one line end, and the end of the file is a line end too. */
class Source {
  at = 0
  line = 1
  ended = false
  readonly text: string
  constructor(text: string) {
    this.text = text.startsWith('\u00ef\u00bb\u00bf') ? text.slice(3) : text
  }
  next(): string {
    let c = this.text[this.at]
    if (c === undefined) {
      this.ended = true
      return '\n'
    }
    this.at += 1
    if (c === '\r' && this.text[this.at] === '\n') {
      this.at += 1
      c = '\n'
    }
    if (c === '\n') this.line += 1
    return c
  }
  skipLine(): void {
    while (this.next() !== '\n');
    // A comment on the last line: the end of the file was taken for its line end; it is met again.
  }
}

const isSpace = (c: string) => c === ' ' || c === '\t' || c === '\n' || c === '\r'
const isLetter = (c: string) => /^[A-Za-z]$/.test(c)
const isKeyCharacter = (c: string) => /^[A-Za-z0-9-]$/.test(c)

function readHead(source: Source, head: Head): boolean {
  let section = ''
  for (;;) {
    const c = source.next()
    if (source.ended || c === '\n') return false
    if (c === ']') {
      if (section === '') return false
      Object.assign(head, { section, subsection: undefined, prefix: `${section}.` })
      return true
    }
    if (isSpace(c)) return readSubsection(source, head, section)
    if (!isKeyCharacter(c) && c !== '.') return false
    section += c.toLowerCase()
  }
}

function readSubsection(source: Source, head: Head, section: string): boolean {
  let c = ' '
  while (isSpace(c)) {
    if (c === '\n') return false
    c = source.next()
  }
  if (c !== '"') return false
  let subsection = ''
  for (;;) {
    c = source.next()
    if (c === '\n') return false
    if (c === '"') break
    if (c === '\\') {
      c = source.next()
      if (c === '\n') return false
    }
    subsection += c
  }
  if (source.next() !== ']') return false
  Object.assign(head, { section, subsection, prefix: `${section}.${subsection}.` })
  return true
}

function readEntry(source: Source, first: string, head: Head): ConfigEntry | undefined {
  let name = first
  let c = source.next()
  while (!source.ended && isKeyCharacter(c)) {
    name += c
    c = source.next()
  }
  while (c === ' ' || c === '\t') c = source.next()
  name = name.toLowerCase()
  const entry = { key: head.prefix + name, section: head.section, subsection: head.subsection, name }
  if (c === '\n') return { ...entry, value: undefined }
  if (c !== '=') return undefined
  const value = readValue(source)
  return value === undefined ? undefined : { ...entry, value }
}

const escapes: Readonly<Record<string, string>> = { t: '\t', b: '\b', n: '\n', '\\': '\\', '"': '"' }

function readValue(source: Source): string | undefined {
  let value = ''
  let spaces = ''
  let quoted = false
  let comment = false
  for (;;) {
    let c = source.next()
    if (c === '\n') return quoted ? undefined : value
    if (comment) continue
    if (isSpace(c) && !quoted) {
      if (value !== '') spaces += ' '
      continue
    }
    if (!quoted && (c === ';' || c === '#')) {
      comment = true
      continue
    }
    value += spaces
    spaces = ''
    if (c === '"') quoted = !quoted
    else if (c === '\\') {
      c = source.next()
      if (c === '\n') continue
      const meant = escapes[c]
      if (meant === undefined) return undefined
      value += meant
    } else value += c
  }
}

/** Entries as a file of their own, or as an end for an existing one; git reads back exactly these. Values must hold no NUL. */
export function formatGitConfig(entries: readonly ConfigEntry[]): string {
  let text = ''
  let last: string | undefined
  for (const { section, subsection, name, value } of entries) {
    const head = subsection === undefined ? `[${section}]` : `[${section} "${subsection.replace(/["\\]/g, '\\$&')}"]`
    if (head !== last) text += `${head}\n`
    last = head
    text += value === undefined ? `\t${name}\n` : `\t${name} = ${quoteValue(value)}\n`
  }
  return text
}

function quoteValue(value: string): string {
  if (/^[A-Za-z0-9_+*/:.@%=,{}~^-][A-Za-z0-9_+*/:.@%=,{}~^ -]*$/.test(value) && !/^\s|\s$|\s\s/.test(value)) return value
  return `"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\b', '\\b')}"`
}
