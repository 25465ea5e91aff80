// Gateway, steps, inject: what in a request says who asks: fields, Basic and query parameters that servers take for credentials. Pure.
import { knownPrefix } from '../../../secrets/placeholder.ts'

/** Servers that make variables of field names (CGI) read `_`, and some every other mark, as `-`: all of these spell the same field. */
export function fieldKey(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

const credentialNames =
  /^(?:cookie2?|signature|dpop|x-honeycomb-team)$|(?:^|-)(?:auth|authentication|authori[sz]ation|jwt|secret|password|passwd|passphrase|credentials?|bearer|key|key-id|token)$|(?:^|-)authori[sz]ation-|(?:api|app|access|auth|secret|account|session|user)(?:key|token|secret)$/
/** Named like one, and none: against forged forms, for paging, for doing a thing once, for where data lies or how it is encrypted at rest. */
const harmlessNames =
  /(?:^|-)(?:csrf|xsrf|page|paging|continuation|sync|idempotency|cancellation|request)-token$|^csrftoken$|(?:^|-)(?:idempotency|idempotent|websocket|surrogate|cache|partition|row|sort|routing|shard|affinity|dedup|dedupe|deduplication|trace|request|correlation|message|ordering|encryption|customer|public)-key$/

/** Whether servers read a field of this name (as fieldKey gives it) as a credential. */
export function isCredentialField(key: string): boolean {
  return credentialNames.test(key) && !harmlessNames.test(key)
}

const credentialParameters =
  /^(?:(?:[\w-]{1,40}-)?(?:api|app|access|secret|auth|subscription|consumer|client|private|account|developer|rapidapi)-?(?:key|key-id|token|secret|id-token|sig)|h?apikey|appid-key|token|auth|auth-?token|oauth-?token|(?:oauth|private|job|deploy|id|refresh|security|session|bearer|user|bot)-?token|jwt|bearer|secret|pass|password|passwd|passphrase|pwd|credentials?|sig|signature|hmac|phpsessid|jsessionid|x-(?:amz|goog|oss|ms)-(?:signature|credential|security-token)|awsaccesskeyid|authorization)$/

/**
 * Whether servers take a query parameter for a credential; `name` and `value` decoded, the name as often as it can be. Frameworks read `_`, `.` and a space as one, drop spaces in
 * front and what follows `[` or a NUL. `key` and `appid` are one only where the value could be: they are ordinary words as well.
 */
export function isCredentialParameter(name: string, value: string): boolean {
  if (value === '') return false
  const lower = name.toLowerCase().replace(/\0.*$/s, '').trim()
  const key = dashed(lower.replace(/\[.*$/s, ''))
  if (credentialParameters.test(key) || (/^(?:key|appid)$/.test(key) && /^[\w.~+/=:-]{16,}$/.test(value))) return true
  // `user[api_key]`, and `api[key]`, which frameworks keep as parts of one.
  return lower.includes('[') && credentialParameters.test(dashed(lower.replace(/[[\]]+/g, '-').replace(/-$/, '')))
}

function dashed(name: string): string {
  return name.trim().replace(/[_. ]/g, '-')
}

export interface Basic {
  readonly user: string
  readonly password: string
}

/** `Basic base64(user:password)` in its one spelling (RFC 7617); undefined for anything else. */
export function readBasic(value: string): Basic | undefined {
  const text = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value)?.[1]
  if (text === undefined || text.length % 4 !== 0) return undefined
  const decoded = Buffer.from(text, 'base64').toString('latin1')
  const colon = decoded.indexOf(':')
  return colon === -1 || /[\0-\x1f\x7f]/.test(decoded) ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}

export function writeBasic({ user, password }: Basic): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'latin1').toString('base64')}`
}

/** A name beside a password that is one: not another key, which some servers would read first. */
export function isPlainUser(user: string): boolean {
  return /^[\w.@+-]{0,64}$/.test(user) && knownPrefix(user) === ''
}

/** What stands for the password where the token is the user name (`curl -u TOKEN:`, and GitHub's and Bitbucket's words for it). */
export function isNoPassword(password: string): boolean {
  return ['', 'x', 'x-oauth-basic', 'x-token-auth', 'api_token'].includes(password)
}

/** `Bearer X`, `token X`, `X`: the X, where a scheme is a plain word that carries nothing itself. */
export function bareToken(value: string): string | undefined {
  const match = /^(?:([A-Za-z][A-Za-z-]{0,19}) +)?([^\s,]+)$/.exec(value)
  return match === null || /^(?:basic|digest|negotiate|ntlm)$/i.test(match[1] ?? '') ? undefined : match[2]
}
