// Takes credentials out of text before it is kept or shown: the journal, failures and dry runs all use this one.
// Controls are stripped first, so that an escape sequence in the middle of a token can't hide it.
import { stripVTControlCharacters } from 'node:util'

const mark = '[redacted]'

/** Shapes of well-known credentials; each is bounded, so that hostile text costs linear time. */
const shapes: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{16,512}/g, // OpenAI, Anthropic and others
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})/g,
  /\bglpat-[A-Za-z0-9_-]{16,255}/g,
  /\bnpm_[A-Za-z0-9]{20,255}/g,
  /\bpypi-[A-Za-z0-9_-]{16,512}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,255}/g, // Slack
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,60}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255}/g, // Stripe
  /\bhf_[A-Za-z0-9]{20,255}/g,
  /\beyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}(?:\.[A-Za-z0-9_-]{0,4096})?/g, // JSON web tokens
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,16384}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
]
/** `scheme://user:password@host`: user and password both go, a lone user may be a token as well (RFC 3986, 3.2.1). */
const urlCredentials = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@]{1,2048}@/gi
const header = /\b((?:proxy-)?authorization\s*[:=]\s*(?:(?:bearer|basic|token|digest)\s+)?|bearer\s+)[^\s,;"']{6,4096}/gi
/** `--api-key=x`, `password: x`, `"token":"x"`, `?access_token=x`. */
const assignment =
  /((?:api[_-]?key|access[_-]?key|secret|token|passw(?:or)?d|passphrase|credential)s?["']?\s*[=:]\s*["']?)(?!(?:files|none|null|true|false)\b)[^\s"'&,;]{3,4096}/gi
/** All that could split a credential in two without being seen: controls (but line feed and tab), formats, default-ignorables. */
const hiding = /(?![\n\t])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu

/** The text with anything shaped like a credential replaced, looked for with terminal sequences and invisible characters taken away. */
export function redact(text: string): string {
  const visible = stripVTControlCharacters(text)
  const stripped = visible.replace(hiding, '')
  const redacted = redactKept(stripped)
  // Nothing found: invisible characters stay, for the caller to show them as escapes.
  return redacted === stripped ? visible : redacted
}

/** As redact, but leaves control characters alone: for data that is escaped when shown (the journal's strings). */
export function redactKept(text: string): string {
  if (text.length < 8) return text
  let result = text.replace(urlCredentials, `$1${mark}@`)
  for (const shape of shapes) result = result.replace(shape, mark)
  return result.replace(header, `$1${mark}`).replace(assignment, `$1${mark}`)
}

/** Whether a variable's name says that its value is a credential. */
export function namesCredential(name: string): boolean {
  return /(?:key|token|secret|passw|passphrase|credential|auth|cookie|session_?id|private|signature|dsn|(?:database|redis|mongo\w*|amqp)_?ur[il])/i.test(
    name,
  )
}
