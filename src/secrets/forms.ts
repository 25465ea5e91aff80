// Secrets: the forms in which a value turns up in text: as it is, and as programs encode it. For finding it in answers, files and our own words.
import type { HeldSecret } from '../model/secret.ts'
import { spelled, type Spelled } from './spellings.ts'
import { wrapped } from './wrapped.ts'

const shifts = [0, 1, 2] as const

/**
 * Every form that differs from the others, by its kind. Base64 has three, one for each number of bytes in front (mod 3), without the characters
 * at its ends that also hold bits of the neighbours; and since Basic authorization is base64 already, each of them as text is encoded once more.
 * Any two texts of one length have base64 and hexadecimal forms of one length. Pure.
 */
export function formsOf(text: string): ReadonlyMap<string, string> {
  const hex = Buffer.from(text).toString('hex')
  const once = bases(text)
  const twice = once.flatMap(([kind, core]): Forms => [
    ...escaped(core).map(([outer, form]) => [`${kind} ${outer}`, form] as const),
    ...shifts.map((shift) => [`${kind} base64-${shift}`, base64(core, shift, 'base64')] as const),
  ])
  return new Map([
    ['raw', text],
    ...otherCase(text),
    ...escaped(text),
    ...once,
    ['hex', hex],
    ['hex-upper', hex.toUpperCase()],
    ...twice,
    ...throughout(text),
  ])
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

type Forms = readonly (readonly [kind: string, form: string])[]

function escaped(text: string): Forms {
  const url = encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const json = JSON.stringify(text).slice(1, -1)
  return [
    ['json', json],
    ['json-slash', json.replaceAll('/', '\\/')],
    ['url', url],
    ['url-lower', url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())],
    ['form', url.replaceAll('%20', '+')],
    ['uri', encodeURIComponent(text)],
    ['html', text.replace(/[&<>"']/g, (char) => entities[char] ?? char)],
  ]
}

/** Every character escaped, needed or not; and with NULs beside each, as UTF-16 and UTF-32 have them in either order. */
function throughout(text: string): Forms {
  const each = (write: (code: number, hex: string) => string): string =>
    [...text].map((char) => write(char.charCodeAt(0), char.charCodeAt(0).toString(16).padStart(2, '0'))).join('')
  return [
    ['percent', each((_code, hex) => `%${hex}`)],
    ['percent-upper', each((_code, hex) => `%${hex.toUpperCase()}`)],
    ['unicode', each((_code, hex) => `\\u00${hex}`)],
    ['unicode-upper', each((_code, hex) => `\\u00${hex.toUpperCase()}`)],
    ['entity', each((code) => `&#${code};`)],
    ['entity-hex', each((_code, hex) => `&#x${hex};`)],
    ['entity-hex-upper', each((_code, hex) => `&#x${hex.toUpperCase()};`)],
    ['x-escape', each((_code, hex) => `\\x${hex}`)],
    ['x-escape-upper', each((_code, hex) => `\\x${hex.toUpperCase()}`)],
    ['utf16', [...text].join('\0')],
    ['utf32', [...text].join('\0\0\0')],
  ]
}

/** Servers take identifiers and hexadecimal keys in either case, and may answer in the other. */
function otherCase(text: string): Forms {
  if (!/^[0-9a-f-]+$/i.test(text)) return []
  return [
    ['upper', text.toUpperCase()],
    ['lower', text.toLowerCase()],
  ]
}

function bases(text: string): Forms {
  return shifts.flatMap((shift): Forms => [
    [`base64-${shift}`, base64(text, shift, 'base64')],
    [`base64url-${shift}`, base64(text, shift, 'base64url')],
  ])
}

function base64(text: string, shift: 0 | 1 | 2, encoding: 'base64' | 'base64url'): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)])
  const [first, last] = [Math.ceil((shift * 8) / 6), Math.floor((bytes.length * 8) / 6)]
  return bytes.toString(encoding).slice(first, last)
}

export interface Needle {
  readonly find: string
  readonly put: string
}

export interface Sought {
  readonly needles: readonly Needle[]
  readonly spelled: readonly Spelled[]
}

const kept = new WeakMap<HeldSecret, { readonly values: string; readonly sought: Sought }>()

/** For every value that a secret had so far; made anew only when it gets another. */
export function soughtFor(secret: HeldSecret): Sought {
  const values = secret.values()
  const key = values.join('\n')
  const known = kept.get(secret)
  if (known?.values === key) return known.sought
  const sought = {
    needles: values.flatMap((value) => needlesOf(value, secret.placeholder)),
    spelled: values.flatMap((value) => [spelled(value, secret.placeholder) ?? [], inLines(value, secret.placeholder)].flat()),
  }
  kept.set(secret, { values: key, sought })
  return sought
}

function inLines(value: string, placeholder: string): readonly Spelled[] {
  const put = new Map(bases(placeholder))
  const cores = new Map(bases(value).map(([kind, core]) => [core, put.get(kind) ?? '']))
  return [...cores].flatMap(([core, own]) => wrapped(core, own))
}

/** What to look for and what to put there, so that a placeholder stands where a value stood, in the same encoding. Longest first, each once. */
export function needlesOf(value: string, placeholder: string): readonly Needle[] {
  const put = formsOf(placeholder)
  const needles = new Map<string, string>()
  for (const [kind, find] of formsOf(value)) if (!needles.has(find)) needles.set(find, put.get(kind) ?? placeholder)
  return [...needles].map(([find, replacement]) => ({ find, put: replacement })).sort((a, b) => b.find.length - a.find.length)
}

/** The text without any of these forms; for journals and messages. */
export function withoutForms(text: string, forms: readonly string[]): string {
  return forms.reduce((clean, form) => clean.replaceAll(form, '[redacted]'), text)
}
