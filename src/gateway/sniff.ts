// Gateway: what the first byte of a connection says, without taking it. Used by door.ts.
import type { GatewayContext } from './context.ts'
import type { Inlet } from './inlet.ts'
import { within } from './within.ts'

/** A TLS record of the handshake begins with 22 (RFC 8446 5.1), which no HTTP request does. 'gone': nothing came in time. */
export async function sniff(context: GatewayContext, inlet: Inlet): Promise<'tls' | 'other' | 'gone'> {
  const { headMilliseconds, keepAliveMilliseconds } = context.settings
  const chunk = await within(Math.max(headMilliseconds, keepAliveMilliseconds), context.signal, () => inlet.read())
  if (chunk === undefined) return 'gone'
  inlet.unread(chunk)
  return chunk[0] === 22 ? 'tls' : 'other'
}
