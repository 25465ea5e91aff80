// Gateway, hello: the server name is read before anything is dialled, and must be the name that was judged. Between accept.ts and dial/.
import { tryCanonicalHost } from '../../policy/host-name.ts'
import type { CanonicalHost } from '../../model/policy.ts'
import type { GatewayContext, Refusal } from '../context.ts'
import type { Inlet } from '../inlet.ts'
import { printable } from '../printable.ts'
import { within } from '../within.ts'
import { parseClientHello, type Hello } from './parse.ts'

/** Reads until the hello is whole, wrong or late; everything read is put back. */
export async function readHello(context: GatewayContext, inlet: Inlet): Promise<Hello> {
  const { headMilliseconds, maxHelloBytes } = context.settings
  let bytes: Buffer = Buffer.alloc(0)
  const late = await within(headMilliseconds, context.signal, async (stopped): Promise<Hello> => {
    for (;;) {
      const chunk = await inlet.read()
      if (chunk === undefined || stopped()) return { kind: 'bad', reason: 'the connection ended before its TLS hello was whole' }
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      const hello = parseClientHello(bytes, maxHelloBytes)
      if (hello.kind !== 'more') return hello
    }
  })
  inlet.unread(bytes)
  return late ?? { kind: 'bad', reason: `no whole TLS hello within ${headMilliseconds / 1000} seconds` }
}

/**
 * Undefined when the hello names exactly the judged host. A missing name is refused as well: the server would choose, and on shared
 * addresses another tenant's site could be meant. With an encrypted inner hello the outer name is the one that is judged (docs/limitations.md).
 */
export function judgeHello(hello: Hello, host: CanonicalHost): Refusal | undefined {
  if (hello.kind === 'not-tls') return { code: 'not-tls', reason: 'this port speaks TLS, and what came is no TLS hello' }
  if (hello.kind !== 'hello') return { code: 'bad-hello', reason: hello.kind === 'bad' ? hello.reason : 'no TLS hello' }
  if (hello.serverName === undefined) return { code: 'no-server-name', reason: `the TLS hello names no server; ${host} was expected` }
  const named = tryCanonicalHost(hello.serverName)
  if (named.ok && named.host === host) return undefined
  return { code: 'name-mismatch', reason: `the TLS hello names ${printable(hello.serverName)}, the connection is for ${host}` }
}

/** A fatal alert, unrecognized_name (RFC 8446 6.2), so that the program inside sees a reason. */
export const unrecognizedName: Buffer = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70])
