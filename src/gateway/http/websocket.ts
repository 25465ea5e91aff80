// Gateway, http: a WebSocket that the server agreed to becomes a tunnel (RFC 6455 4). Only for hosts without limits on method and path.
import type { Asked, GatewayContext, Target } from '../context.ts'
import type { Inlet } from '../inlet.ts'
import { join } from '../relay.ts'
import { responseFields } from './fields.ts'
import type { Outcome } from './forward.ts'

export async function joinWebSocket(
  context: GatewayContext,
  input: { readonly inlet: Inlet; readonly asked: Asked; readonly target: Target; readonly rule: string },
  upgraded: Outcome & { kind: 'upgraded' },
): Promise<void> {
  const { response, upstream, early } = upgraded
  const fields = responseFields(response.rawHeaders)
  if (fields === undefined || response.headers.upgrade?.toLowerCase() !== 'websocket') {
    upstream.destroy()
    input.inlet.socket.resetAndDestroy()
    return
  }
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`)
  await new Promise<void>((resolve) => input.inlet.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1', () => resolve()))
  await join(context, { ...input, upstream, fromUpstream: early, started: Date.now() })
}
