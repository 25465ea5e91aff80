// Gateway, http: a request head, read strictly (RFC 9112). Odd ones are refused, never mended: what we read is what the server must read. Pure.

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly minor: 0 | 1
  /** In order, names as sent, values trimmed; text is latin1. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export type HeadResult =
  | { readonly kind: 'head'; readonly head: RequestHead }
  | { readonly kind: 'bad'; readonly status: 400 | 431 | 505; readonly reason: string }

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Visible ASCII but for `#` and `\`, which two parsers read in two ways. */
const target = /^[\x21\x22\x24-\x5b\x5d-\x7e]+$/
/** No control character but the tab; bytes above ASCII are opaque. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Where the head ends (index after the empty line), or -1. */
export function headEnd(bytes: Buffer): number {
  const at = bytes.indexOf('\r\n\r\n')
  return at < 0 ? -1 : at + 4
}

/** `text`: the whole head as latin1, its last empty line included. Never throws. */
export function parseHead(text: string, maxHeaders: number): HeadResult {
  const lines = text.slice(0, -4).split('\r\n')
  const [requestLine = '', ...fields] = lines
  if (/[\r\n\0]/.test(lines.join(''))) return bad('a line that does not end with CRLF, or a NUL')
  const [method = '', path = '', version = '', ...more] = requestLine.split(' ')
  if (more.length > 0 || !token.test(method) || !target.test(path)) return bad('a malformed request line')
  if (method !== method.toUpperCase()) return bad('a method in lower case: methods are case-sensitive')
  if (!/^HTTP\/[0-9]\.[0-9]$/.test(version)) return bad('a malformed request line')
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') return { kind: 'bad', status: 505, reason: 'only HTTP/1.1 is spoken here' }
  if (fields.length > maxHeaders) return { kind: 'bad', status: 431, reason: `more than ${maxHeaders} header fields` }
  const headers: [string, string][] = []
  for (const field of fields) {
    if (field.startsWith(' ') || field.startsWith('\t')) return bad('a header field folded over two lines')
    const colon = field.indexOf(':')
    const name = field.slice(0, Math.max(colon, 0))
    const value = field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    if (!token.test(name) || !fieldValue.test(value)) return bad('a malformed header field')
    headers.push([name, value])
  }
  return { kind: 'head', head: { method, target: path, minor: version === 'HTTP/1.1' ? 1 : 0, headers } }
}

function bad(reason: string): HeadResult {
  return { kind: 'bad', status: 400, reason }
}

/** Values of a field, whatever the case of its name. */
export function valuesOf(head: Pick<RequestHead, 'headers'>, name: string): readonly string[] {
  return head.headers.filter(([candidate]) => candidate.toLowerCase() === name).map(([, value]) => value)
}
