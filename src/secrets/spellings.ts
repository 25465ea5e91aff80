// Secrets: one value as programs write it that escape some characters and not others: which ones is each program's own choice (HTML, JSON, URLs).
// Beside forms.ts, which has the forms that leave no choice. For finding values in answers.

/** A value whose special characters may stand in any of their spellings. */
export interface Spelled {
  /** What it can begin with. */
  readonly heads: readonly string[]
  /** Whether it stands there: how long, and what to put in its place. 'cut': so far it does, and the bytes end. `text` is latin1. */
  readonly match: (bytes: Buffer, at: number) => { readonly length: number; readonly put: string } | 'cut' | undefined
}

interface Segment {
  readonly texts: readonly string[]
  /** Of the texts, those that begin with a byte: what stands there mostly begins like none of them. */
  readonly byFirst: ReadonlyMap<number, readonly string[]>
  /** Of the placeholder, in the place of a run of plain characters; undefined: the spelling stays as it was found. */
  readonly put: string | undefined
}

/** Undefined where nothing in the value is ever escaped: letters and digits alone. */
export function spelled(value: string, placeholder: string): Spelled | undefined {
  if (/^[A-Za-z0-9]*$/.test(value)) return undefined
  const runs = [...value.matchAll(/[A-Za-z0-9]+|[^A-Za-z0-9]/g)].map((found) => ({ run: found[0], from: found.index }))
  // Placeholders have the special characters of the value in the same places (placeholder.ts).
  const aligned = placeholder.length === value.length && runs.every(({ run, from }) => isPlain(run) || placeholder[from] === run)
  const segments = runs.map(({ run, from }): Segment =>
    isPlain(run) ? segment([run], placeholder.slice(from, from + run.length)) : segment(spellingsOf(run), undefined),
  )
  return {
    heads: headsOf(segments),
    match(bytes, at) {
      let ends = new Map([[at, '']])
      let cut = false
      for (const { byFirst, put } of segments) {
        const next = new Map<number, string>()
        for (const [from, written] of ends) {
          const first = bytes[from]
          if (first === undefined) cut = true
          else
            for (const text of byFirst.get(first) ?? []) {
              const there = bytes.toString('latin1', from, from + text.length)
              if (there === text) next.set(from + text.length, written + (put ?? text))
              else if (there.length < text.length && text.startsWith(there)) cut = true
            }
        }
        if (next.size === 0) return cut ? 'cut' : undefined
        ends = next
      }
      const end = Math.max(...ends.keys())
      return { length: end - at, put: aligned ? (ends.get(end) ?? placeholder) : placeholder }
    },
  }
}

/** With the first byte of what follows: letters alone stand everywhere. */
function headsOf([first, second]: readonly Segment[]): readonly string[] {
  const next = second === undefined ? [''] : [...second.byFirst.keys()].map((code) => String.fromCharCode(code))
  return (first?.texts ?? []).flatMap((text) => next.map((char) => text + char))
}

function segment(texts: readonly string[], put: string | undefined): Segment {
  return { texts, byFirst: Map.groupBy(texts, (text) => text.charCodeAt(0)), put }
}

function isPlain(run: string): boolean {
  return /^[A-Za-z0-9]/.test(run)
}

const named: Readonly<Record<string, readonly string[]>> = {
  '&': ['&amp;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
  '"': ['&quot;'],
  "'": ['&apos;'],
  '/': ['&sol;'],
  '+': ['&plus;'],
  '=': ['&equals;'],
  '`': ['&grave;'],
  ' ': ['+'],
  _: ['&lowbar;', '&UnderBar;'],
  '-': ['&hyphen;', '&dash;'],
  '.': ['&period;'],
}

function spellingsOf(char: string): readonly string[] {
  const code = char.charCodeAt(0)
  const hex = code.toString(16).padStart(2, '0')
  const both = [hex, hex.toUpperCase()]
  const entities = [`&#${code};`, `&#0${code};`, ...both.flatMap((digits) => [`&#x${digits};`, `&#X${digits};`]), ...(named[char] ?? [])]
  const escapes = both.flatMap((digits) => [`%${digits}`, `%25${digits}`, `\\u00${digits}`, `\\\\u00${digits}`, `\\x${digits}`])
  // As Markdown and expressions have them, and those in JSON; quoted-printable.
  const plainly = [`\\${char}`, `\\\\${char}`, `=${hex.toUpperCase()}`]
  // Escaped twice, as pages do that show what was escaped already.
  const twice = entities.filter((entity) => entity.startsWith('&')).map((entity) => `&amp;${entity.slice(1)}`)
  return [...new Set([char, ...entities, ...escapes, ...plainly, ...twice])]
}
