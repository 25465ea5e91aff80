// Detectors for what deceives the reader: in the text, in the name, and by attributes that hide a file from review.
import path from 'node:path'
import { decodePath, looksLike } from './look-alikes.ts'
import type { Detector } from './rule.ts'

/** Bidirectional controls (CVE-2021-42574): they make the text read otherwise than it runs. */
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
/** What no screen shows: formats, tags, fillers, variation selectors (those behind an emoji are its own). */
const invisible =
  /(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d|(?<!\p{Emoji})\p{Variation_Selector}|(?!\u200d|\u061c|[\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Variation_Selector})\p{Default_Ignorable_Code_Point}|\u2800/u
/** Blanks that are no blank to a compiler. */
const blanks = /[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f]/u
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n?$)/
/** Letters of other scripts that read as Latin ones, inside a Latin word. */
const mixed =
  /[A-Za-z_$][\u0370-\u03ff\u0400-\u052f\u0531-\u058f\uff21-\uff5a\u{1d400}-\u{1d7ff}]|[\u0370-\u03ff\u0400-\u052f\u0531-\u058f\uff21-\uff5a\u{1d400}-\u{1d7ff}][A-Za-z_$]/u

const most = 5

function inLines(id: string, pattern: RegExp, say: (found: string) => string, source: string): Detector {
  return {
    id,
    kind: 'deceives',
    source,
    detect: ({ added, binary }) => {
      if (binary) return []
      const found: { reason: string; line: number }[] = []
      for (const { line, text } of added()) {
        const [hit] = pattern.exec(line === 1 ? text.replace(/^\ufeff/, '') : text) ?? []
        if (hit !== undefined) found.push({ reason: say(hit), line })
        if (found.length >= most) break
      }
      return found
    },
  }
}

const code = (text: string): string =>
  [...text].map((each) => `U+${(each.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`).join(' ')

export const textDetectors: readonly Detector[] = [
  inLines('bidi', bidi, (hit) => `a bidirectional control (${code(hit)}): the line reads otherwise than it runs`, 'TRM-07; CVE-2021-42574'),
  inLines('invisible', invisible, (hit) => `an invisible character (${code(hit)})`, 'TRM-08'),
  inLines('odd-blank', blanks, (hit) => `a blank that is none to programs (${code(hit)})`, 'TRM-08'),
  inLines('control', controls, (hit) => `a control character (${code(hit)}), which a terminal obeys`, 'TRM-09'),
  inLines('homoglyph', mixed, (hit) => `letters of another script that look Latin (${code(hit)})`, 'TRM-08; Unicode TR39'),
  {
    id: 'far-right',
    kind: 'deceives',
    source: 'TRM-11',
    detect: ({ added, binary }) => {
      if (binary) return []
      const hit = added().find(({ text }) => /\S[ \t]{100,}\S/.test(text) || /^[ \t]{200,}\S/.test(text))
      return hit === undefined ? [] : [{ reason: 'text far to the right, behind a long blank stretch', line: hit.line }]
    },
  },
  {
    id: 'far-down',
    kind: 'deceives',
    source: 'TRM-11',
    detect: ({ added, binary }) => {
      if (binary) return []
      let empty = 0
      for (const { line, text } of added()) {
        if (text.trim() === '') empty += 1
        else if (empty >= 80) return [{ reason: `text below ${empty} empty lines`, line }]
        else empty = 0
      }
      return []
    },
  },
  {
    id: 'name',
    kind: 'deceives',
    source: 'TRM-10; CVE-2021-42574',
    detect: ({ change }) => {
      if (change.action === 'deleted') return []
      const { text, valid } = decodePath(change.path)
      const reasons = [
        ...(valid ? [] : ['its name is no UTF-8']),
        ...(bidi.test(text) || invisible.test(text) || /[\p{Cc}\u2028\u2029]/u.test(text)
          ? ['its name holds control or invisible characters']
          : []),
        ...(mixed.test(text) ? ['its name mixes letters of scripts that look alike'] : []),
        ...(text.split('/').some((part) => /^\s|[\s.]$/.test(part) && part !== '.')
          ? ['its name begins or ends with a blank or a dot']
          : []),
        ...(/(?:^|\/)-/.test(text) ? ['its name begins with a dash, which programs take for an option'] : []),
      ]
      return reasons.map((reason) => ({ reason }))
    },
  },
  {
    id: 'look-alike',
    kind: 'deceives',
    source: 'TRM-10; CVE-2014-9390',
    detect: ({ change, siblings }) => {
      if (change.before !== undefined && change.action !== 'renamed') return []
      // Where only the case of letters changed there is no other left to be taken for.
      const { from } = change
      const other = (): readonly string[] =>
        from?.toLowerCase() === change.path.toLowerCase() ? siblings().filter((name) => name !== path.posix.basename(from)) : siblings()
      const like = looksLike(change.path, other)
      return like === undefined ? [] : [{ reason: `its name looks like ${like}` }]
    },
  },
  {
    id: 'hidden-by-attributes',
    kind: 'deceives',
    source: 'TRM-19; gitattributes(5)',
    names: ['.gitattributes', '/.git/info/attributes'],
    detect: ({ added }) =>
      added()
        .filter(({ text }) =>
          /\s-diff\b|\s-text\b|\sbinary\b|linguist-(?:generated|vendored|documentation)(?!=false)|export-(?:ignore|subst)|working-tree-encoding/.test(
            text,
          ),
        )
        .slice(0, most)
        .map(({ text, line }) => ({ reason: `hides files from diffs: ${text.trim()}`, line })),
  },
]
