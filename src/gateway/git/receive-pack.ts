// Gateway, git: what a push asks for: its ref updates and where its pack begins (gitprotocol-pack, "Reference Update Request"). Pure.
import { readPacket } from './packet-lines.ts'

export interface RefUpdate {
  /** 40 or 64 hex digits; all zero: the ref is made, or removed. */
  readonly before: string
  readonly after: string
  /** As sent, `refs/heads/…`; printable ASCII and valid UTF-8 alone. */
  readonly ref: string
}

export type Push =
  | { readonly kind: 'push'; readonly updates: readonly RefUpdate[]; readonly capabilities: readonly string[]; readonly pack: Buffer }
  /** git asks with an empty request whether it may push, before it sends much. */
  | { readonly kind: 'question' }
  | { readonly kind: 'bad'; readonly reason: string }

const maxUpdates = 1_000
const longestRef = 512

/** `body`: the whole request. Never throws. */
export function readPush(body: Buffer): Push {
  const updates: RefUpdate[] = []
  const capabilities: string[] = []
  let at = 0
  for (;;) {
    const packet = readPacket(body, at)
    if (packet === undefined) return bad('a malformed packet line')
    at = packet.next
    if (packet.kind === 'flush') break
    const nul = packet.bytes.indexOf(0)
    const line = packet.bytes.toString('utf8', 0, nul < 0 ? packet.bytes.length : nul).replace(/\n$/, '')
    if (nul >= 0 && updates.length > 0) return bad('capabilities after the first update')
    if (nul >= 0)
      capabilities.push(
        ...packet.bytes
          .toString('latin1', nul + 1)
          .trim()
          // git's servers take any white space for the end of one, and `=` for the end of its name.
          .split(/\s+/),
      )
    if (/^shallow [0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(line)) continue
    if (line.startsWith('push-cert')) return bad('a signed push, whose updates are not read')
    const match = /^([0-9a-f]{40}(?:[0-9a-f]{24})?) ([0-9a-f]{40}(?:[0-9a-f]{24})?) (\S+)$/.exec(line)
    if (match === null) return bad('a line that is no ref update')
    const [, before = '', after = '', ref = ''] = match
    if (before.length !== after.length || !isRef(ref)) return bad('a malformed ref update')
    if (updates.some((other) => other.ref === ref)) return bad('two updates of one ref')
    updates.push({ before, after, ref })
    if (updates.length > maxUpdates) return bad(`more than ${maxUpdates} updates at once`)
  }
  if (updates.length === 0) return at === body.length ? { kind: 'question' } : bad('a pack without an update')
  // Options go to the server's hooks, which nobody here knows.
  if (capabilities.some((capability) => /^push-options(?:=|$)/.test(capability)))
    return bad('push options, which the server gives to its hooks')
  return { kind: 'push', updates, capabilities, pack: body.subarray(at) }
}

/** git-check-ref-format, as far as a rule could be misled: no `..`, no control or blank, no empty or dotted component, no `@{`, no pattern characters. */
function isRef(ref: string): boolean {
  if (ref.length > longestRef || !/^refs\/[\x21-\x7e\u00a0-\u{10ffff}]+$/u.test(ref) || /[\\~^:?*[]|\.\.|@\{|\/\/|\ufffd/.test(ref))
    return false
  return ref.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.') && !part.endsWith('.lock'))
}

function bad(reason: string): Push {
  return { kind: 'bad', reason }
}

/** Whether an id stands for "no object". */
export function isNone(id: string): boolean {
  return /^0+$/.test(id)
}
