// Secrets: what the cell sees instead of a value: same prefix, length and alphabet, so that programs which look at its form accept it. Random.
import { randomInt } from 'node:crypto'

/** What well-known credentials begin with. Kept, because programs and servers tell kinds of credentials by it; it is no secret. */
const kinds = [
  String.raw`sk-ant-[a-z]{3,5}\d{2}-|sk-(?:proj|svcacct|admin|or-v1)-|sk-|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-|xox[abeoprs]-|xapp-|npm_|pypi-|hf_`,
  String.raw`(?:AKIA|ASIA)|AIza|(?:sk|rk|pk)_(?:live|test)_|do[opr]_v1_|SG\.|ya29\.|shp(?:at|ca|pa|ss)_|dckr_pat_|tskey-|lin_api_|figd_|r8_|gsk_|xai-|pplx-|nvapi-|tvly-|dp\.pt\.`,
  String.raw`pul-|sntry[su]_|glsa_|ATATT`,
].join('|')
const prefixes = new RegExp(`^(?:${kinds}|eyJ)`)
/** Tokens of JSON (`eyJ`) are left out: what begins so may be any JSON in base64. */
const within = new RegExp(`(?:^|[^A-Za-z0-9])(?:${kinds})[A-Za-z0-9_-]{16}`)

/** What a text begins with when it is a credential of a known kind; else ''. */
export function knownPrefix(text: string): string {
  return prefixes.exec(text)?.[0] ?? ''
}

/** Whether a credential of a known kind stands anywhere in the text. */
export function holdsKnownKind(text: string): boolean {
  return text.length > 16 && within.test(text)
}

/**
 * A placeholder for one value, different in every session. `taken` says which texts may not come out (other values and placeholders).
 * Undefined where the value has too little in it that could differ.
 */
export function makePlaceholder(value: string, taken: (text: string) => boolean = () => false): string | undefined {
  for (let attempt = 0; attempt < 64; attempt++) {
    const made = imitateToken(value) ?? imitate(value)
    if (made !== value && differs(made, value) && !taken(made)) return made
  }
  return undefined
}

/** Enough characters must differ that nobody takes one for the other, and that it can't turn up by chance. */
function differs(made: string, value: string): boolean {
  let count = 0
  for (let at = 0; at < value.length; at++) if (made[at] !== value[at]) count += 1
  return count >= Math.min(6, Math.ceil(value.length / 2))
}

/** Letters and digits are drawn anew, run by run, from what that run has (hexadecimal stays so, AWS's base 32 too); all else stays in its place. */
function imitate(value: string): string {
  const prefix = knownPrefix(value)
  const rest = value.slice(prefix.length)
  const whole = wholeAlphabet(rest, prefix)
  return prefix + rest.replace(/[A-Za-z0-9]+/g, (run) => drawn(run.length, whole ?? alphabetOf(run)))
}

const digits = '0123456789'
const lower = 'abcdefghijklmnopqrstuvwxyz'

function drawn(length: number, alphabet: string): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** Where every letter and digit is of one narrow alphabet, as in UUIDs and digests. */
function wholeAlphabet(text: string, prefix: string): string | undefined {
  if (prefix === 'AKIA' || prefix === 'ASIA') return `${lower.toUpperCase()}234567`
  const letters = text.replace(/[^A-Za-z0-9]/g, '')
  if (letters.length < 8 || !/\d/.test(letters) || !/[A-Fa-f]/.test(letters)) return undefined
  if (/^[0-9a-f]+$/.test(letters)) return `${digits}abcdef`
  return /^[0-9A-F]+$/.test(letters) ? `${digits}ABCDEF` : undefined
}

function alphabetOf(run: string): string {
  return (/[a-z]/.test(run) ? lower : '') + (/[A-Z]/.test(run) ? lower.toUpperCase() : '') + (/\d/.test(run) ? digits : '')
}

/**
 * A JSON web token (RFC 7519) whose claims can be read, as programs do to see when it ends: of the real one's only `exp`, `iat` and `nbf` are
 * there. Undefined for what is none, or leaves no room.
 */
function imitateToken(value: string): string | undefined {
  const [head = '', claims = '', ...more] = value.split('.')
  if (!head.startsWith('eyJ') || more.length !== 1) return undefined
  const known = parse(claims)
  if (parse(head) === undefined || known === undefined) return undefined
  const kept = Object.fromEntries(['exp', 'iat', 'nbf'].flatMap((name) => (typeof known[name] === 'number' ? [[name, known[name]]] : [])))
  const first = filled({ alg: parse(head)?.['alg'] ?? 'none', typ: 'JWT' }, head.length) ?? filled({}, head.length)
  const second = filled(kept, claims.length) ?? filled({}, claims.length)
  return first === undefined || second === undefined ? undefined : [first, second, imitate(`.${more[0] ?? ''}`).slice(1)].join('.')
}

/** JSON with random filling, as base64url of exactly `length` characters. */
function filled(members: object, length: number): string | undefined {
  const bytes = Math.floor((length * 3) / 4)
  const empty = JSON.stringify({ ...members, '-': '' })
  const room = bytes - empty.length
  if (room < 0) return undefined
  const filling = drawn(room, lower)
  const text = Buffer.from(JSON.stringify({ ...members, '-': filling })).toString('base64url')
  return text.length === length ? text : undefined
}

function parse(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
