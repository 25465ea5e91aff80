// Policy: a host name's one canonical form. Everything that judges, resolves or dials a name comes through here first.
import { isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { Failure } from '../errors/failure.ts'
import type { CanonicalHost } from '../model/policy.ts'
import { show } from './show.ts'

export type HostAnswer =
  | { readonly ok: true; readonly host: CanonicalHost }
  | { readonly ok: false; readonly code: 'bad-name' | 'address-literal'; readonly reason: string }

/** 253 characters without the final dot (RFC 1035 section 2.3.4, in text form). */
const longestName = 253
/** Letters, digits, hyphens (RFC 1123 2.1), and the underscore, which real names have (RFC 2782, buckets) and no parser reads twice. */
const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
/** The WHATWG "ends in a number" test: resolvers read such names as IPv4 addresses (127.1, 0x7f.1, 2130706433, 0177.0.0.1). */
const numeric = /^(?:[0-9]+|0x[0-9a-f]*)$/

/**
 * The canonical form of a name that came from the wire: lower case, ASCII, one trailing dot dropped. Raw Unicode, addresses in any spelling,
 * escapes, user info, ports and control characters are refused, never mended. Never throws.
 */
export function tryCanonicalHost(text: string): HostAnswer {
  if (text.length === 0) return bad('the host name is empty')
  if (text.length > longestName + 1) return bad(`the host name is longer than ${longestName} characters`)
  const odd = /[^a-z0-9._-]/i.exec(text)
  if (odd !== null) return oddCharacter(text, odd[0])
  const host = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  const labels = host.split('.')
  if (host.length > longestName) return bad(`the host name is longer than ${longestName} characters`)
  if (numeric.test(labels.at(-1) ?? ''))
    return { ok: false, code: 'address-literal', reason: 'it is an address, not a name: rules are by name' }
  for (const part of labels) {
    if (part === '') return bad('the host name has an empty label (two dots, or a dot in front)')
    if (part.length > 63) return bad('a label of the host name is longer than 63 characters')
    if (!label.test(part)) return bad('a label of the host name begins or ends with a hyphen')
  }
  // An xn-- label that does not decode, or decodes to something plain, would be read differently by the next parser.
  if (labels.some((part) => part.startsWith('xn--')) && domainToASCII(host) !== host) return bad('its xn-- label is not valid')
  return { ok: true, host: host as CanonicalHost }
}

/** The same for code that has nothing to do without a name. Throws Failure `policy/bad-host`. */
export function canonicalHost(text: string): CanonicalHost {
  const answer = tryCanonicalHost(text)
  if (!answer.ok) throw new Failure('policy/bad-host', { host: show(text), reason: answer.reason })
  return answer.host
}

/**
 * For names in policies and flags only: an international name is turned into its xn-- form once (UTS 46, as browsers do) and shown in that form
 * ever after. Invisible characters are refused: what the user reads must be what is allowed. Never throws.
 */
export function tryWrittenHost(text: string): HostAnswer {
  if (text.length > longestName * 4 || /^[\0-\x7f]*$/.test(text)) return tryCanonicalHost(text)
  if (/[\p{C}\p{Z}]/u.test(text)) return bad('it has invisible or blank characters')
  const ascii = domainToASCII(text)
  return ascii === '' ? bad('it is not a valid international name') : tryCanonicalHost(ascii)
}

function oddCharacter(text: string, char: string): HostAnswer {
  if (text.startsWith('[') || isIPv6(text))
    return { ok: false, code: 'address-literal', reason: 'it is an address, not a name: rules are by name' }
  if (char > '\x7f') return bad('it has characters outside ASCII: write its xn-- form')
  if (char < ' ' || char === '\x7f') return bad('it has a control character')
  return bad(`it has ${char === ' ' ? 'a space' : `the character ${char}`}`)
}

function bad(reason: string): HostAnswer {
  return { ok: false, code: 'bad-name', reason }
}
