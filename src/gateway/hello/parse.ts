// Gateway, hello: reads the server name out of a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), strictly. Pure; read.ts feeds it.
// Own code because the verdict rests on it: a hello split over records, a repeated extension or a second name must not be read two ways.

export type Hello =
  | { readonly kind: 'more' }
  | { readonly kind: 'not-tls' }
  | { readonly kind: 'bad'; readonly reason: string }
  /** `serverName` as sent (not canonical). `encrypted`: an encrypted inner hello is there as well; only the outer name can be seen. */
  | { readonly kind: 'hello'; readonly serverName: string | undefined; readonly encrypted: boolean }

const handshakeRecord = 22
const clientHello = 1
const serverNameExtension = 0
const encryptedHelloExtension = 0xfe0d

/** Never throws. 'more' until the whole hello is there; `maxBytes` bounds it. */
export function parseClientHello(bytes: Buffer, maxBytes: number): Hello {
  const first = bytes[0]
  if (first === undefined) return { kind: 'more' }
  if (first !== handshakeRecord || (bytes.length > 1 && bytes[1] !== 3)) return { kind: 'not-tls' }
  const parts: Buffer[] = []
  let collected = 0
  for (let at = 0; ;) {
    if (bytes.length < at + 5) return more(bytes, maxBytes)
    if (bytes[at] !== handshakeRecord || bytes[at + 1] !== 3) return bad('another record inside the TLS hello')
    const length = bytes.readUInt16BE(at + 3)
    if (length === 0 || length > 16_384) return bad('a TLS record of a wrong length')
    const part = bytes.subarray(at + 5, at + 5 + length)
    parts.push(part)
    collected += part.length
    const message = parts.length === 1 ? part : Buffer.concat(parts)
    if (collected >= 1 && message[0] !== clientHello) return bad('the first TLS message is no client hello')
    if (collected >= 4) {
      const size = message.readUIntBE(1, 3)
      if (size + 4 > maxBytes) return bad('the TLS hello is too long')
      if (collected > size + 4) return bad('bytes after the TLS hello in its record')
      if (collected === size + 4)
        return part.length === length ? readBody(message.subarray(4)) : bad('a TLS record that is longer than its hello')
    }
    if (part.length < length) return more(bytes, maxBytes)
    at += 5 + length
  }
}

function more(bytes: Buffer, maxBytes: number): Hello {
  return bytes.length > maxBytes ? bad('the TLS hello is too long') : { kind: 'more' }
}

function bad(reason: string): Hello {
  return { kind: 'bad', reason }
}

function readBody(body: Buffer): Hello {
  const session = body[34]
  if (session === undefined || session > 32) return bad('a malformed TLS hello')
  const ciphersAt = 35 + session
  if (body.length < ciphersAt + 2) return bad('a malformed TLS hello')
  const compressionsAt = ciphersAt + 2 + body.readUInt16BE(ciphersAt)
  const compressions = body[compressionsAt]
  if (compressions === undefined) return bad('a malformed TLS hello')
  const extensionsAt = compressionsAt + 1 + compressions
  if (body.length === extensionsAt) return { kind: 'hello', serverName: undefined, encrypted: false }
  if (body.length < extensionsAt + 2 || body.length !== extensionsAt + 2 + body.readUInt16BE(extensionsAt))
    return bad('a malformed TLS hello')
  return readExtensions(body.subarray(extensionsAt + 2))
}

function readExtensions(list: Buffer): Hello {
  const seen = new Set<number>()
  let serverName: string | undefined
  for (let at = 0; at < list.length;) {
    if (list.length < at + 4) return bad('a malformed TLS hello')
    const kind = list.readUInt16BE(at)
    const end = at + 4 + list.readUInt16BE(at + 2)
    if (end > list.length) return bad('a malformed TLS hello')
    if (seen.has(kind)) return bad('a TLS extension that is there twice')
    seen.add(kind)
    if (kind === serverNameExtension) {
      serverName = readServerName(list.subarray(at + 4, end))
      if (serverName === undefined) return bad('a malformed server name')
    }
    at = end
  }
  return { kind: 'hello', serverName, encrypted: seen.has(encryptedHelloExtension) }
}

/** Exactly one entry, of type host_name. Bytes above ASCII stay above ASCII (latin1), so that no later step can fold them into a name. */
function readServerName(data: Buffer): string | undefined {
  if (data.length < 6 || data.readUInt16BE(0) !== data.length - 2) return undefined
  if (data[2] !== 0 || data.readUInt16BE(3) !== data.length - 5) return undefined
  return data.toString('latin1', 5)
}
