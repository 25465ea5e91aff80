// Gateway: what the first byte of a connection says, without taking it. Used by door.ts.
import type { GatewayContext } from './context.ts'
import type { Inlet } from './inlet.ts'

/** A TLS record of the handshake begins with 22 (RFC 8446 5.1), which no HTTP request does. 'gone': nothing came in time. */
export async function sniff(context: GatewayContext, inlet: Inlet): Promise<'tls' | 'other' | 'gone'> {
  const { headMilliseconds, keepAliveMilliseconds } = context.settings
  const deadline = context.deadlines.open(() => inlet.interrupt())
  deadline.set(Math.max(headMilliseconds, keepAliveMilliseconds))
  const chunk = await inlet.read()
  deadline.close()
  if (chunk === undefined) return 'gone'
  inlet.unread(chunk)
  return chunk[0] === 22 ? 'tls' : 'other'
}
