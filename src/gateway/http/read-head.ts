// Gateway, http: waits for one whole request head, bounded in size and time. Between the inlet and head.ts.
import type { Deadline } from '../deadlines.ts'
import type { Inlet } from '../inlet.ts'
import type { GatewaySettings } from '../settings.ts'
import { headEnd, parseHead, type HeadResult } from './head.ts'

export type HeadRead =
  | HeadResult
  | { readonly kind: 'bad'; readonly status: 408; readonly reason: string }
  /** The cell ended or stayed quiet between two requests: nothing to answer. */
  | { readonly kind: 'gone' }

/** The first byte may take as long as a connection is kept open; from it on the head has its own, shorter time. `deadline` interrupts the inlet. */
export async function readHead(settings: GatewaySettings, inlet: Inlet, deadline: Deadline): Promise<HeadRead> {
  deadline.set(settings.keepAliveMilliseconds)
  let bytes = await inlet.read()
  if (bytes === undefined) return { kind: 'gone' }
  let result = check(settings, inlet, bytes)
  if (result === undefined) deadline.set(settings.headMilliseconds)
  while (result === undefined) {
    const chunk = await inlet.read()
    if (deadline.passed)
      return { kind: 'bad', status: 408, reason: `no whole request head within ${settings.headMilliseconds / 1000} seconds` }
    if (chunk === undefined) return { kind: 'gone' }
    bytes = Buffer.concat([bytes, chunk])
    result = check(settings, inlet, bytes)
  }
  deadline.clear()
  return result
}

function check({ maxHeadBytes, maxHeaders }: GatewaySettings, inlet: Inlet, bytes: Buffer): HeadRead | undefined {
  const end = headEnd(bytes)
  if (end > maxHeadBytes || (end < 0 && bytes.length > maxHeadBytes))
    return { kind: 'bad', status: 431, reason: `a head of more than ${maxHeadBytes} bytes` }
  // A bare line feed is found before the end of the head is: some servers would take it for one (RFC 9112 2.2).
  if (end < 0) return bareLineFeed(bytes) ? { kind: 'bad', status: 400, reason: 'a line that does not end with CRLF' } : undefined
  inlet.unread(bytes.subarray(end))
  return parseHead(bytes.toString('latin1', 0, end), maxHeaders)
}

function bareLineFeed(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) if (bytes[at - 1] !== 13) return true
  return false
}
