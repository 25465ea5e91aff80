// Secrets, scan: values of the user's in bytes, as they are and as programs encode them (forms.ts). Exact: no form is missed for being odd.
import { formsOf } from '../forms.ts'
import { placeOf, type Finding, type Known } from './finding.ts'

/** Shorter ones are found in ordinary text by chance. */
const shortest = 8
/** A file that is nothing but a key over and over needs no more than this. */
const mostOfOne = 20

export interface KnownForm {
  readonly name: string
  readonly form: string
  readonly bytes: Buffer
}

/** What to look for, made once for many files. Values of fewer than 8 characters are left out. */
export function knownForms(known: readonly Known[]): readonly KnownForm[] {
  const forms = new Map<string, KnownForm>()
  for (const { name, value } of known) {
    if (value.length < shortest) continue
    for (const [kind, text] of formsOf(value))
      if (text.length >= shortest && !forms.has(text)) forms.set(text, { name, form: words(kind), bytes: Buffer.from(text) })
  }
  return [...forms.values()]
}

/** Every place, in order; of several forms at one place the first is told. */
export function findKnown(bytes: Buffer, forms: readonly KnownForm[]): readonly Finding[] {
  const places = new Map<number, Finding>()
  for (const { name, form, bytes: needle } of forms) {
    let count = 0
    for (let at = bytes.indexOf(needle); at >= 0 && count < mostOfOne; at = bytes.indexOf(needle, at + needle.length), count++)
      if (!places.has(at)) places.set(at, { kind: 'known', name, form, ...placeOf(bytes, at) })
  }
  return [...places].sort(([a], [b]) => a - b).map(([, finding]) => finding)
}

function words(kind: string): string {
  if (kind === 'raw') return 'as it is'
  if (kind.startsWith('base64')) return 'base64'
  if (kind.startsWith('utf')) return kind === 'utf16' ? 'UTF-16' : 'UTF-32'
  if (kind === 'html' || kind.startsWith('entity')) return 'HTML'
  if (kind.startsWith('hex')) return 'hexadecimal'
  return /^(?:json|unicode|x-escape)/.test(kind) ? 'JSON' : 'URL-encoded'
}
