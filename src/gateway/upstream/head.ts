// Gateway, upstream: the head of a server's answer, read strictly (RFC 9112). What two parsers could read in two ways is no answer. Pure.
import { passesBack } from '../http/fields.ts'
import type { Field } from '../steps/step.ts'

export interface ServerHead {
  readonly status: number
  /** The server's own words, printable. */
  readonly phrase: string
  /** End-to-end fields, in order. */
  readonly fields: readonly Field[]
  readonly framing: AnswerFraming
  /** Content-Length as said, also where no body follows (HEAD, 304). */
  readonly length: number | undefined
  /** Whether the connection may take another request. */
  readonly keep: boolean
  /** 101 to a WebSocket, well-formed. */
  readonly websocket: boolean
}

export type AnswerFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' }

export type ServerHeadResult = { readonly kind: 'head'; readonly head: ServerHead } | { readonly kind: 'bad'; readonly reason: string }

const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: (.*))?$/
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Control characters but for the tab, and line ends that are not CRLF. */
const unclean = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/

/** `text`: latin1, without the empty line at its end. `method`: of the request that it answers. Never throws. */
export function parseServerHead(text: string, method: string): ServerHeadResult {
  if (unclean.test(text)) return bad('a line that does not end with CRLF, or a control character')
  const lines = text.split('\r\n')
  const [, minor, code, phrase = ''] = statusLine.exec(lines[0] ?? '') ?? []
  if (minor === undefined || code === undefined) return bad('a malformed status line')
  const parsed = parseFields(lines, 1)
  if (parsed.kind === 'bad') return parsed
  const status = Number(code)
  const { length: lengthText, encoding, connection } = parsed
  if (parsed.twice !== undefined) return bad(`two ${parsed.twice} fields`)
  if (lengthText !== undefined && !/^(?:0|[1-9][0-9]{0,14})$/.test(lengthText)) return bad('a malformed Content-Length')
  if (encoding !== undefined && lengthText !== undefined) return bad('both Content-Length and Transfer-Encoding')
  if (encoding !== undefined && (minor === '0' || encoding.toLowerCase() !== 'chunked'))
    return bad('a Transfer-Encoding other than chunked')
  const length = lengthText === undefined ? undefined : Number(lengthText)
  const framing = frame(status, method, encoding !== undefined, length)
  const tokens = connection === '' ? noTokens : connection.toLowerCase().split(/[ \t]*,[ \t]*/)
  const keep = framing.kind !== 'close' && !tokens.includes('close') && (minor === '1' || tokens.includes('keep-alive'))
  const named = tokens.some((name) => !ordinaryTokens.has(name))
  const fields = named ? parsed.fields.filter(([name]) => !tokens.includes(name.toLowerCase())) : parsed.fields
  const websocket = status === 101 && parsed.upgrade?.toLowerCase() === 'websocket' && tokens.includes('upgrade')
  return { kind: 'head', head: { status, phrase, fields, framing, length, keep, websocket } }
}

const noTokens: readonly string[] = []
const ordinaryTokens: ReadonlySet<string> = new Set(['', 'keep-alive', 'close', 'upgrade'])

interface ParsedFields {
  readonly kind: 'fields'
  readonly fields: readonly Field[]
  readonly length: string | undefined
  readonly encoding: string | undefined
  readonly upgrade: string | undefined
  readonly connection: string
  readonly twice: string | undefined
}

/** Lines from `start` on. Those about the connection and the framing come apart from the others. */
export function parseFields(lines: readonly string[], start: number): ParsedFields | { readonly kind: 'bad'; readonly reason: string } {
  const fields: Field[] = []
  let length: string | undefined
  let encoding: string | undefined
  let upgrade: string | undefined
  let connection = ''
  let twice: string | undefined
  for (let at = start; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const colon = line.indexOf(':')
    const name = colon < 0 ? '' : line.slice(0, colon)
    // A space before the colon, or at the start (a folded line), is not part of a token.
    if (!token.test(name)) return bad('a malformed header field')
    const value = trim(line, colon + 1)
    const lower = name.toLowerCase()
    if (passesBack(lower)) fields.push([name, value])
    else if (lower === 'content-length') {
      if (length !== undefined) twice = 'Content-Length'
      length = value
    } else if (lower === 'transfer-encoding') {
      if (encoding !== undefined) twice = 'Transfer-Encoding'
      encoding = value
    } else if (lower === 'connection') connection += connection === '' ? value : `,${value}`
    else if (lower === 'upgrade') upgrade = value
  }
  return { kind: 'fields', fields, length, encoding, upgrade, connection, twice }
}

/** RFC 9112 6.3. */
function frame(status: number, method: string, chunked: boolean, length: number | undefined): AnswerFraming {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304 || length === 0) return { kind: 'none' }
  if (chunked) return { kind: 'chunked' }
  return length === undefined ? { kind: 'close' } : { kind: 'length', bytes: length }
}

function trim(line: string, from: number): string {
  let start = from
  let end = line.length
  while (start < end && isSpace(line.charCodeAt(start))) start++
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9
}

function bad(reason: string): { readonly kind: 'bad'; readonly reason: string } {
  return { kind: 'bad', reason }
}
