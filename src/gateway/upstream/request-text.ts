// Gateway, upstream: the head of a request as the server gets it. Everything in it was judged; nothing else is added.
import type { Parent } from '../dial/parent.ts'
import type { Field } from '../steps/step.ts'
import { UpstreamError } from './error.ts'
import type { Place } from './pool.ts'

export interface OutgoingHead {
  readonly place: Place
  /** The company's proxy: absolute form, and its credentials. */
  readonly parent: Parent | undefined
  readonly method: string
  readonly path: string
  readonly fields: readonly Field[]
  /** Bytes of the body; undefined: in chunks; 'none': no framing field at all. */
  readonly length: number | undefined | 'none'
  readonly websocket: boolean
}

/** Control characters but for the tab, and a line end that is not CRLF: the head would be read in another way than it was judged. */
const unclean = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u0100-\uffff]|\r(?!\n)|(?<!\r)\n/

/** latin1. Throws UpstreamError `bad-request` where a part breaks out of its line: the fronts refuse such requests before. */
export function requestText({ place, parent, method, path, fields, length, websocket }: OutgoingHead): string {
  const { host, port } = place.target
  const authority = port === place.usualPort ? host : `${host}:${port}`
  let text = `${method} ${parent === undefined ? '' : `http://${authority}`}${path} HTTP/1.1\r\nHost: ${authority}\r\n`
  let lines = 4
  for (const [name, value] of fields) {
    text += `${name}: ${value}\r\n`
    lines += 1
  }
  if (length === undefined) text += 'Transfer-Encoding: chunked\r\n'
  else if (length !== 'none') text += `Content-Length: ${length}\r\n`
  if (parent?.authorization !== undefined) text += `Proxy-Authorization: ${parent.authorization}\r\n`
  text += websocket ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n' : 'Connection: keep-alive\r\n\r\n'
  lines += (length === 'none' ? 0 : 1) + (parent?.authorization === undefined ? 0 : 1) + (websocket ? 1 : 0)
  if (unclean.test(text) || countLines(text) !== lines || /[ \t]/.test(method + path))
    throw new UpstreamError('bad-request', 'the request has characters that would end a line early')
  return text
}

/** Request line, Host, Connection and the empty line are four. */
function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  return count
}
