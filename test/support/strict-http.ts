// A server's strict reading of the bytes it was sent (RFC 9112), written without the gateway's own: what two readers must agree on.
export interface StrictRequest {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

export interface StrictReading {
  /** Whole requests, in order. */
  readonly requests: readonly StrictRequest[]
  /** What follows them: nothing, the beginning of a request that is well-formed so far, or something that no server should take. */
  readonly rest: 'nothing' | 'partial' | 'malformed'
  /** The request that the rest is a part of, as far as its head is whole. */
  readonly begun?: Omit<StrictRequest, 'body'>
}

const tokenByte = (byte: number): boolean => byte > 0x20 && byte < 0x7f && !'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(byte))
const isToken = (text: string): boolean => text.length > 0 && [...Buffer.from(text, 'latin1')].every(tokenByte)

/** `lenient`: what a proxy may take as well: HTTP/1.0, and absolute-form for the host that it names (as origin form). Never throws. */
export function readStrictly(bytes: Buffer, lenient = false): StrictReading {
  const requests: StrictRequest[] = []
  let at = 0
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', at, 'latin1')
    if (end < 0) return { requests, rest: startsWell(bytes.subarray(at)) ? 'partial' : 'malformed' }
    const head = readHead(bytes.toString('latin1', at, end), lenient)
    if (head === undefined) return { requests, rest: 'malformed' }
    const body = head.chunked ? readChunks(bytes, end + 4) : readLength(bytes, end + 4, head.length)
    const { method, target, host, fields } = head
    if (body === 'malformed') return { requests, rest: 'malformed', begun: { method, target, host, fields } }
    if (body === 'partial') return { requests, rest: 'partial', begun: { method, target, host, fields } }
    requests.push({ method, target, host, fields, body: body.bytes })
    at = body.end
  }
  return { requests, rest: 'nothing' }
}

function startsWell(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  return /^[A-Z]*(?: |$)/.test(text) && !/(?:^|[^\r])\n|\r[^\n]|\0/.test(text)
}

interface Head extends Omit<StrictRequest, 'body'> {
  readonly chunked: boolean
  readonly length: number
}

function readHead(text: string, lenient: boolean): Head | undefined {
  const [requestLine = '', ...lines] = text.split('\r\n')
  if (/[\r\n\0]/.test(requestLine) || lines.some((line) => /[\r\n\0]/.test(line))) return undefined
  const words = requestLine.split(' ')
  const [method = '', written = '', version = ''] = words
  const target = lenient ? written.replace(/^http:\/\/good\.test(?::80)?(?=[/?])/, '').replace(/^(?=\?)/, '/') : written
  if (words.length !== 3 || (lenient ? !/^HTTP\/1\.[01]$/.test(version) : version !== 'HTTP/1.1')) return undefined
  if (!isToken(method) || !/^\/[\x21-\x7e]*$/.test(target) || /[#\\]/.test(target)) return undefined
  const fields: [string, string][] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line
      .slice(colon + 1)
      .replace(/^[ \t]*/, '')
      .replace(/[ \t]*$/, '')
    if (colon < 1 || !isToken(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) return undefined
    fields.push([name.toLowerCase(), value])
  }
  const all = (name: string): string[] => fields.filter(([each]) => each === name).map(([, value]) => value)
  const [hosts, lengths, codings] = [all('host'), all('content-length'), all('transfer-encoding')]
  if (hosts.length !== 1 || lengths.length + codings.length > 1) return undefined
  if (codings.length === 1 && codings[0] !== 'chunked') return undefined
  if (lengths.length === 1 && !/^(?:0|[1-9]\d{0,14})$/.test(lengths[0] ?? '')) return undefined
  return { method, target, host: hosts[0] ?? '', fields, chunked: codings.length === 1, length: Number(lengths[0] ?? 0) }
}

type Body = 'partial' | 'malformed' | { readonly bytes: Buffer; readonly end: number }

function readLength(bytes: Buffer, from: number, length: number): Body {
  return bytes.length - from < length ? 'partial' : { bytes: bytes.subarray(from, from + length), end: from + length }
}

/** Without extensions and trailers: the gateway sends none. */
function readChunks(bytes: Buffer, from: number): Body {
  const chunks: Buffer[] = []
  for (let at = from; ;) {
    const end = bytes.indexOf('\r\n', at, 'latin1')
    const size = bytes.toString('latin1', at, end < 0 ? bytes.length : end)
    if (end < 0) return /^[0-9a-fA-F]{0,8}\r?$/.test(size) ? 'partial' : 'malformed'
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) return 'malformed'
    const length = Number.parseInt(size, 16)
    const data = end + 2
    const after = bytes.toString('latin1', data + length, data + length + 2)
    if (after.length < 2) return '\r\n'.startsWith(after) ? 'partial' : 'malformed'
    if (after !== '\r\n') return 'malformed'
    if (length === 0) return { bytes: Buffer.concat(chunks), end: data + 2 }
    chunks.push(bytes.subarray(data, data + length))
    at = data + length + 2
  }
}
